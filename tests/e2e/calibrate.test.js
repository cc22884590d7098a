'use strict';
/* int8 as a user comes to it: the shipped model calibrated on a folder of pictures, looked at, measured, and held to f32 on other pictures. */
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { draw, modelFolder, must, program, run } = require('./lib');

const model = path.join(modelFolder, 'flora-inception.onnx');
const described = ['--labels', path.join(modelFolder, 'labels.csv'), '--description', path.join(modelFolder, 'model.json')];
const seen = draw(60, 91, ['--split', 'validation']), fresh = draw(60, 92);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'linnet-calibrate-'));
const calibrated = path.join(folder, 'calibrated.onnx');
const calibrate = (out, ...more) => run(program, ['model', 'calibrate', model, ...described, '--pictures', seen, '--csv', path.join(seen, 'observations.csv'), '--out', out, ...more]);

test.after(() => fs.rmSync(folder, { recursive: true, force: true }));

/* What each picture was taken for, and how surely. */
function predictions(onnx, precision) {
  const file = path.join(folder, `${precision}.csv`);
  must(program, ['eval', fresh, '--csv', path.join(fresh, 'observations.csv'), '--onnx', onnx, ...described, '--backbone', path.join(fresh, 'backbone'), '--precision', precision, '--predictions', file]);
  const [head, ...rows] = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]]))).sort((a, b) => (a.image < b.image ? -1 : 1)); /* as they were done */
}

test('without_ranges_int8_names_the_command_that_finds_them', () => {
  for (const args of [['bench-model', model, '--precision', 'int8'], ['eval', fresh, '--csv', path.join(fresh, 'observations.csv'), '--onnx', model, ...described, '--backbone', path.join(fresh, 'backbone'), '--precision', 'int8']]) {
    const done = run(program, args);
    assert.notEqual(done.code, 0);
    assert.match(done.err, /linnet model calibrate/);
  }
});

test('a_calibrated_model_is_the_model_with_ranges', () => {
  const before = fs.readFileSync(model), done = calibrate(calibrated);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /ranges of \d+ values on \d+ pictures/);
  assert.ok(fs.readFileSync(model).equals(before));
  assert.ok(fs.readFileSync(calibrated).subarray(0, before.length).equals(before)); /* the ranges come after it */
  assert.equal(must(program, ['model', 'inspect', calibrated]).out, must(program, ['model', 'inspect', model]).out);
  assert.match(must(program, ['bench-model', calibrated, '--precision', 'int8']).out, /int8/);
});

test('int8_takes_other_pictures_for_the_same', () => {
  const single = predictions(model, 'f32'), eight = predictions(calibrated, 'int8');
  assert.equal(eight.length, single.length);
  assert.ok(single.length > 60);
  assert.deepEqual(eight.map((row) => row.image), single.map((row) => row.image));
  const same = single.filter((row, i) => row.first === eight[i].first).length;
  assert.ok(same / single.length > 0.85, `${same} of ${single.length}`); /* 96.9% of very many */
  assert.deepEqual(predictions(calibrated, 'f32'), single); /* ranges change nothing but int8 */
});

test('what_cannot_be_calibrated_is_refused_and_leaves_no_file', () => {
  const out = path.join(folder, 'none.onnx'), empty = path.join(folder, 'empty.csv');
  fs.writeFileSync(empty, 'image,taxon\n');
  let done = calibrate(model);
  assert.notEqual(done.code, 0);
  assert.match(done.err, /another file/);
  done = run(program, ['model', 'calibrate', model, ...described, '--pictures', seen, '--csv', empty, '--out', out]);
  assert.notEqual(done.code, 0);
  assert.ok(!fs.existsSync(out));
  done = run(program, ['model', 'calibrate', model, '--out', out]);
  assert.notEqual(done.code, 0);
  assert.match(done.err, /are wanted/);
  assert.ok(!fs.existsSync(out));
});
