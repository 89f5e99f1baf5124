// A model that needs no files: a picture's vector is its mean colour, a word's is made from its letters. For tests of what is
// around a model; the models themselves have tests of their own. Counts, and fails as told.
import sharp from 'sharp';
import type { Embedder, ModelSource, OpenEmbedder } from '../../agent/pipeline/embed/embedder.ts';
import { toUnit, type VectorSpace } from '../../protocol/vector.ts';

export const REVISIONS = { standard: 'aaaaaaaaaaaa', light: 'bbbbbbbbbbbb' } as const;

export function spaceOf(profile: VectorSpace['profile'] = 'standard'): VectorSpace {
  return { profile, model: `stand-in-${profile}`, revision: REVISIONS[profile], dtype: 'fp32', preprocessing: 1, dimension: 4 };
}

export interface StandIn {
  open: OpenEmbedder;
  opened: ModelSource[]; closed: number; images: number; texts: string[];
  /** Called before each picture; what it throws is the picture's failure. */
  onImage: ((bytes: Uint8Array) => void | Promise<void>) | null;
  /** Called before each opening; what it throws is the opening's failure. */
  onOpen: ((source: ModelSource) => void | Promise<void>) | null;
  /** From now on every call is refused, until it is opened anew. */
  crash(): void;
}

export function createStandIn(): StandIn {
  const living = new Set<object>();
  const standIn: StandIn = {
    opened: [], closed: 0, images: 0, texts: [], onImage: null, onOpen: null,
    crash: () => { living.clear(); },
    open: async (source) => {
      standIn.opened.push(source);
      await standIn.onOpen?.(source);
      const mine = {};
      living.add(mine);
      const alive = (): void => { if (!living.has(mine)) throw new Error('the model has ended'); };
      const embedder: Embedder = {
        space: spaceOf(source.profile),
        async embedImage(bytes) {
          alive();
          standIn.images += 1;
          await standIn.onImage?.(bytes);
          alive();
          const { channels } = await sharp(bytes).toColourspace('srgb').stats();
          alive();
          return toUnit([...Array.from({ length: 3 }, (_, i) => (channels[i] ?? channels[0])?.mean ?? 0), source.profile === 'light' ? 200 : 20]);
        },
        async embedTexts(texts) {
          alive();
          standIn.texts.push(...texts);
          return texts.map((text) => toUnit([text.length, text.charCodeAt(0), 1, 1]));
        },
        close: async () => { standIn.closed += 1; living.delete(mine); },
      };
      return embedder;
    },
  };
  return standIn;
}
