"use strict";
// What Python packed (packing.py): gzip in base64, and arrays in one block of bytes.

async function unpackText(id) {
  return new TextDecoder().decode(await unpackBytes(id));
}

async function unpackBytes(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const ARRAYS = { f4: Float32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

// The array at a place of the block.
function arrayAt(block, place) {
  return new ARRAYS[place.type](block.buffer, block.byteOffset + place.at, place.n);
}

// Rows of unequal length, one after the other; `ends` says where each begins.
function rowAt(block, rows, field, number) {
  const ends = arrayAt(block, rows.ends);
  return arrayAt(block, rows[field]).subarray(ends[number], ends[number + 1]);
}
