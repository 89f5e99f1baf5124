// RAW files by the picture that the camera embedded in them. Nothing is developed.
import type { AssetProblem } from '../../protocol/rows.ts';
import { decodePixels, messageOf, readHeader } from './decode.ts';
import type { ExifToolAnswer, ExifToolReader } from './exiftool.ts';
import { previewSize, type Pixels } from './render.ts';

export interface RawPreview { pixels: Pixels; width: number; height: number }

/** The largest embedded picture that decodes, upright, at the preview's size; with the problem where there is none. */
export async function readRawPreview(tool: ExifToolReader, path: string, answer: ExifToolAnswer): Promise<{ preview: RawPreview | null; problem: AssetProblem | null }> {
  const orientation = typeof answer.tags.orientation === 'number' ? answer.tags.orientation : 1;
  let reason = 'the camera embedded no picture in this RAW';
  for (const { tag } of [...answer.previews].sort((a, b) => b.bytes - a.bytes)) {
    try {
      const bytes = await tool.extract(tag, path);
      const header = await readHeader(bytes);
      // Most cameras write the embedded picture as the sensor lay, and the turn into the RAW's own directory.
      const apply = header.oriented ? undefined : orientation;
      const turned = apply !== undefined && apply >= 5 && apply <= 8;
      const width = turned ? header.height : header.width, height = turned ? header.width : header.height;
      const decoded = await decodePixels(bytes, previewSize(width, height), apply === undefined ? {} : { orientation: apply });
      return { preview: { pixels: decoded.pixels, width, height }, problem: decoded.problem };
    } catch (error) { reason = `the picture embedded in this RAW cannot be read (${messageOf(error)})`; }
  }
  return { preview: null, problem: { code: 'unsupported', reason } };
}
