'use strict';
/* Requests that are wrong in one way each: name -> [status, method, target, () => {headers, body}]. Given a function that gives a good picture
 * ({data}) when it is asked. */
const { form } = require('./serve_lib');

const typed = (type) => ({ headers: { 'content-type': type }, body: 'x' });
const requests = (picture) => {
  const leaf = new Proxy({}, { get: (_, name) => picture()[name] }), jpeg = () => ({ data: leaf.data, filename: 'leaf.jpg' });
  return {
    no_body: [415, 'POST', '/v2/identify/all', () => ({})],
    no_content_type: [415, 'POST', '/v2/identify/all', () => ({ body: 'x' })],
    json_instead_of_a_form: [415, 'POST', '/v2/identify/all', () => typed('application/json')],
    urlencoded: [415, 'POST', '/v2/identify/all', () => typed('application/x-www-form-urlencoded')],
    no_boundary: [400, 'POST', '/v2/identify/all', () => typed('multipart/form-data')],
    boundary_too_long: [400, 'POST', '/v2/identify/all', () => typed(`multipart/form-data; boundary=${'x'.repeat(71)}`)],
    boundary_of_other_characters: [400, 'POST', '/v2/identify/all', () => typed('multipart/form-data; boundary="a b<c"')],
    empty_form: [400, 'POST', '/v2/identify/all', () => form([])],
    body_is_no_form: [400, 'POST', '/v2/identify/all', () => ({ ...form([]), body: 'nothing of the sort' })],
    form_breaks_off: [400, 'POST', '/v2/identify/all', () => { const whole = form([['images', jpeg()]]); return { ...whole, body: whole.body.subarray(0, whole.body.length - 20) }; }],
    no_pictures: [400, 'POST', '/v2/identify/all', () => form([['organs', 'leaf']])],
    another_file: [400, 'POST', '/v2/identify/all', () => form([['photo', jpeg()]])],
    another_field: [400, 'POST', '/v2/identify/all', () => form([['images', jpeg()], ['organ', 'leaf']])],
    empty_picture: [400, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.alloc(0) }]])],
    picture_is_text: [415, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.from('hello') }]])],
    picture_is_gif: [415, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.from('GIF89a........') }]])],
    picture_is_html: [415, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.from('<html>') }]])],
    picture_is_a_jpegs_beginning: [400, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.from([0xff, 0xd8, 0xff]) }]])],
    picture_breaks_off: [400, 'POST', '/v2/identify/all', () => form([['images', { data: leaf.data.subarray(0, 200) }]])],
    picture_is_a_pngs_beginning: [400, 'POST', '/v2/identify/all', () => form([['images', { data: Buffer.from('\x89PNG\r\n\x1a\nrubbish', 'latin1') }]])],
    six_pictures: [400, 'POST', '/v2/identify/all', () => form(Array(6).fill(['images', jpeg()]))],
    more_organs_than_pictures: [400, 'POST', '/v2/identify/all', () => form([['images', jpeg()], ['organs', 'leaf'], ['organs', 'leaf']])],
    fewer_organs_than_pictures: [400, 'POST', '/v2/identify/all', () => form([['images', jpeg()], ['images', jpeg()], ['organs', 'leaf']])],
    unknown_organ: [400, 'POST', '/v2/identify/all', () => form([['images', jpeg()], ['organs', 'root']])],
    organ_is_no_utf8: [400, 'POST', '/v2/identify/all', () => form([['images', jpeg()], ['organs', Buffer.from([0xff])]])],
    unknown_project: [404, 'POST', '/v2/identify/atlantis', () => form([['images', jpeg()]])],
    project_is_a_path: [404, 'POST', '/v2/identify/..%2F..%2Fetc', () => form([['images', jpeg()]])],
    nb_results_of_zero: [400, 'POST', '/v2/identify/all?nb-results=0', () => form([['images', jpeg()]])],
    nb_results_of_words: [400, 'POST', '/v2/identify/all?nb-results=many', () => form([['images', jpeg()]])],
    switch_of_maybe: [400, 'POST', '/v2/identify/all?no-reject=maybe', () => form([['images', jpeg()]])],
    language_of_symbols: [400, 'POST', '/v2/identify/all?lang=%24', () => form([['images', jpeg()]])],
    unknown_parameter: [400, 'POST', '/v2/identify/all?nbresults=2', () => form([['images', jpeg()]])],
    broken_escape: [400, 'POST', '/v2/identify/all?lang=%zz', () => form([['images', jpeg()]])],
    nul_in_the_query: [400, 'POST', '/v2/identify/all?lang=%00', () => form([['images', jpeg()]])],
    target_too_long: [414, 'GET', `/v2/projects?lang=${'x'.repeat(9000)}`, () => ({})],
    unknown_path: [404, 'GET', '/v2/nothing', () => ({})],
    other_method: [405, 'DELETE', '/v2/projects', () => ({})],
    latitude_beyond_the_pole: [400, 'GET', '/v2/projects?lat=91&lon=0', () => ({})],
    latitude_alone: [400, 'GET', '/v2/projects?lat=1', () => ({})],
  };
};

module.exports = requests;
