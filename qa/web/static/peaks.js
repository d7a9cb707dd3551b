const HEADER_BYTES = 4; // "PK1" and the number of channels
const MOST_POINTS = 6000;

/**
 * Peaks as the server keeps them: "PK1", channels, then one byte (0–255) per 20 ms and channel.
 * One lane of 0–1 per channel, thinned for long calls: the browser draws no more points than fit.
 */
export function readPeaks(buffer) {
  const bytes = new Uint8Array(buffer);
  const channels = bytes[3];
  const count = (bytes.length - HEADER_BYTES) / channels;
  const step = Math.max(1, Math.ceil(count / MOST_POINTS));
  return Array.from({ length: channels }, (_, channel) => {
    const lane = new Float32Array(Math.ceil(count / step));
    for (let i = 0; i < count; i++) {
      const point = Math.floor(i / step);
      const peak = bytes[HEADER_BYTES + channel * count + i] / 255;
      lane[point] = Math.max(lane[point], peak);
    }
    return lane;
  });
}
