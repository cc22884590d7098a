// peer.js MODEL.onnx MODEL.json PORT: an identification server as one would write it with Node: sharp decodes and resizes, onnxruntime-node runs
// the same network on all cores, all pictures of a request as one batch; softmax, the five best, JSON.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const fastify = require('fastify');
const ort = require('onnxruntime-node');
const sharp = require('sharp');

const [file, description, port] = process.argv.slice(2);
const model = JSON.parse(fs.readFileSync(description, 'utf8'));
const { width, height, resize_to: side, mean, std } = model.input;

async function prepare(bytes, into) {
  const { data } = await sharp(bytes).rotate().resize(side, side, { fit: 'outside' }).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true }).then(({ data, info }) => {
    const left = (info.width - width) >> 1, top = (info.height - height) >> 1, crop = Buffer.alloc(width * height * 3);
    for (let y = 0; y < height; y++) data.copy(crop, y * width * 3, ((y + top) * info.width + left) * 3, ((y + top) * info.width + left + width) * 3);
    return { data: crop };
  });
  const plane = width * height;
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) into[c * plane + i] = (data[i * 3 + c] / 255 - mean[c]) / std[c];
}

(async () => {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: os.cpus().length });
  const app = fastify({ bodyLimit: 60 << 20 });
  app.register(require('@fastify/multipart'), { limits: { fileSize: 50 << 20, files: 5 } });
  app.get('/readyz', async () => ({ ready: true }));
  app.post('/v2/identify/:project', async (request) => {
    const pictures = [];
    for await (const part of request.files()) pictures.push(await part.toBuffer());
    const size = 3 * width * height, input = new Float32Array(pictures.length * size);
    await Promise.all(pictures.map((bytes, i) => prepare(bytes, input.subarray(i * size, (i + 1) * size))));
    const outputs = await session.run({ [model.input.name]: new ort.Tensor('float32', input, [pictures.length, 3, height, width]) });
    const logits = outputs[model.outputs.species].data, classes = model.labels.length, sum = new Float64Array(classes);
    for (let p = 0; p < pictures.length; p++) {
      let most = -Infinity, total = 0;
      for (let c = 0; c < classes; c++) most = Math.max(most, logits[p * classes + c]);
      const e = Array.from({ length: classes }, (_, c) => Math.exp(logits[p * classes + c] - most));
      for (const value of e) total += value;
      for (let c = 0; c < classes; c++) sum[c] += e[c] / total / pictures.length;
    }
    const results = [...sum].map((score, c) => ({ score, species: { id: model.labels[c] } })).sort((a, b) => b.score - a.score).slice(0, 5);
    return { bestMatch: results[0].species.id, results };
  });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
})();
