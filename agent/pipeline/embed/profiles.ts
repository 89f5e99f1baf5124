// The two models that can be chosen, and what of a model's folder is used. Sizes and arithmetic come from the folder itself.
import type { SearchProfile } from '../../../protocol/vector.ts';

/** How a tower's file is named after `vision_model` or `text_model`, and what its numbers are. The first that both towers have is used. */
export const DTYPES = [['_quantized', 'q8'], ['_int8', 'int8'], ['_uint8', 'uint8'], ['_fp16', 'fp16'], ['', 'fp32'], ['_fp32', 'fp32'], ['_q4', 'q4'], ['_q4f16', 'q4f16'], ['_bnb4', 'bnb4']] as const;
export type Dtype = (typeof DTYPES)[number][1];

/** What is fetched; of a folder of the owner's, tokenizer_config.json may be missing and the towers may be of another dtype. */
export const MODEL_FILES = ['config.json', 'preprocessor_config.json', 'tokenizer_config.json', 'tokenizer.json', 'onnx/vision_model_quantized.onnx', 'onnx/text_model_quantized.onnx'] as const;

export interface Profile {
  /** Its name on the hub. */
  model: string;
  /** Published, for people who wonder whether to wait. */
  downloadMb: number;
  /** `{q}` is what is searched for. Their vectors are averaged: a query is neither a caption nor a word alone. */
  prompts: readonly string[];
}

export const PROFILES: Record<SearchProfile, Profile> = {
  standard: { model: 'onnx-community/siglip2-base-patch16-224-ONNX', downloadMb: 415, prompts: ['{q}', 'a photo of {q}.'] },
  light: { model: 'Xenova/clip-vit-base-patch32', downloadMb: 154, prompts: ['{q}', 'a photo of {q}.', 'a picture of {q}.'] },
};

/** A longer text is cut: no model reads more than its first 64 or 77 tokens. */
const MAX_TEXT_CHARS = 1_000;

/** A text in each of a profile's prompts. */
export function promptsOf(profile: SearchProfile, text: string): string[] {
  const q = text.toWellFormed().replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT_CHARS);
  return PROFILES[profile].prompts.map((prompt) => prompt.replace('{q}', () => q));
}
