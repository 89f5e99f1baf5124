// Paints the demo's pictures: skies, seas, hills and suns from a seed, with the EXIF that a camera would write.
import sharp from 'sharp';

export interface Scene { folder: string; name: string; bytes: Buffer; takenAt: Date }

/** mulberry32: small, seeded, the same on every machine. */
export function createRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TRIPS = [
  { folder: '2019/Hills', year: 2019, month: 4, latitude: 30.45, longitude: 78.07, sky: [205, 70, 78], land: [120, 35, 34] },
  { folder: '2021/Lagoon', year: 2021, month: 11, latitude: 15.49, longitude: 73.82, sky: [195, 75, 72], land: [188, 55, 42] },
  { folder: '2023/Desert', year: 2023, month: 1, latitude: 26.91, longitude: 70.9, sky: [28, 85, 72], land: [34, 55, 48] },
  { folder: '2024/Old town', year: 2024, month: 9, latitude: 43.77, longitude: 11.25, sky: [260, 40, 66], land: [18, 45, 44] },
  { folder: 'Phone', year: 2025, month: 6, latitude: 51.5, longitude: -0.12, sky: [220, 60, 70], land: [90, 30, 40] },
] as const;
const SHAPES = [[1600, 1200], [1600, 1067], [1200, 1600], [1600, 900], [1400, 1400], [2400, 800]] as const;

/** The i-th picture of the demo, JPEG with date, camera and position; tests that need many ask for smaller ones. */
export async function makeScene(i: number, scale = 1): Promise<Scene> {
  const random = createRandom(i + 1);
  const trip = TRIPS[i % TRIPS.length] ?? TRIPS[0];
  const [width, height] = (SHAPES[Math.floor(random() * SHAPES.length)] ?? SHAPES[0]).map((side) => Math.round(side * scale)) as [number, number];
  const horizon = height * (0.45 + random() * 0.25);
  const hue = (base: number) => Math.round(base + (random() - 0.5) * 36);
  const [skyHue, skySat, skyLight] = trip.sky;
  const [landHue, landSat, landLight] = trip.land;
  const ridge = (level: number, rough: number) => {
    const points = Array.from({ length: 14 }, (_, x) => `${Math.round((x / 13) * width)},${Math.round(level - random() * rough)}`);
    return `0,${height} ${points.join(' ')} ${width},${height}`;
  };
  const sunX = width * (0.15 + random() * 0.7);
  const sunY = horizon * (0.25 + random() * 0.6);
  const layers = [0, 1, 2].map((n) => `<polygon points="${ridge(horizon + n * height * 0.11, height * (0.16 - n * 0.04))}" fill="hsl(${hue(landHue)} ${landSat}% ${Math.max(12, landLight - n * 10)}%)"/>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl(${hue(skyHue)} ${skySat}% ${skyLight - 30}%)"/><stop offset="1" stop-color="hsl(${hue(skyHue - 30)} ${skySat}% ${skyLight + 12}%)"/></linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#s)"/>
    <circle cx="${sunX}" cy="${sunY}" r="${height * (0.04 + random() * 0.08)}" fill="hsl(${hue(40)} 95% 82%)"/>
    ${layers.join('')}</svg>`;
  // Every seventh picture has no zone, as older cameras write it.
  const withZone = i % 7 !== 0;
  const day = 1 + Math.floor((i / TRIPS.length / 2.4) % 27);
  const hour = 7 + Math.floor(random() * 13);
  const minute = Math.floor(random() * 60);
  const two = (n: number) => String(n).padStart(2, '0');
  const stamp = `${trip.year}:${two(trip.month)}:${two(day)} ${two(hour)}:${two(minute)}:${two(i % 60)}`;
  const bytes = await sharp(Buffer.from(svg)).jpeg({ quality: 86 }).withExif({
    IFD0: { Make: 'Jharokha', Model: i % 3 === 0 ? 'Window One' : 'Window Two' },
    IFD2: { DateTimeOriginal: stamp, ...(withZone ? { OffsetTimeOriginal: '+05:30' } : {}), FNumber: '28/10', ExposureTime: '1/250', ISOSpeedRatings: '100', FocalLength: '35/1' },
    IFD3: { GPSLatitudeRef: trip.latitude >= 0 ? 'N' : 'S', GPSLatitude: degrees(trip.latitude), GPSLongitudeRef: trip.longitude >= 0 ? 'E' : 'W', GPSLongitude: degrees(trip.longitude) },
  }).toBuffer();
  return { folder: trip.folder, name: `DSC_${String(1000 + i)}.jpg`, bytes, takenAt: new Date(Date.UTC(trip.year, trip.month - 1, day, hour, minute)) };
}

function degrees(value: number): string {
  const abs = Math.abs(value);
  const minutes = (abs % 1) * 60;
  return `${Math.floor(abs)}/1 ${Math.floor(minutes)}/1 ${Math.round((minutes % 1) * 6000)}/100`;
}
