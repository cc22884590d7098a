'use strict';
/* Store and `linnet serve` on one origin, as a site's web server has them: /v2 is the API, /app the web app, all else the store. */
const http = require('http');

/* { url, close() }. */
function sameOrigin(store, api) {
  const server = http.createServer((request, response) => {
    const { hostname, port } = new URL(/^\/(v2|app)(\/|$)/.test(request.url) ? api : store);
    const onward = http.request({ hostname, port, method: request.method, path: request.url, headers: { ...request.headers, host: `${hostname}:${port}` } }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}`,
      close() { server.close(); server.closeAllConnections(); },
    }));
  });
}

module.exports = { sameOrigin };
