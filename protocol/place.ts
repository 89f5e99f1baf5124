// Cells: the grain at which places are named. A thousandth of a degree is 111 m at most, less than a city block counts.

/** `48.858,2.294`: the cell of a position in degrees, named by its centre. */
export function cellOf(latitude: number, longitude: number): string {
  return `${thousandths(latitude)},${thousandths(longitude)}`;
}

/** The centre of a cell in degrees, or undefined for text that names none. */
export function cellCentre(cell: string): { latitude: number; longitude: number } | undefined {
  const m = /^(-?\d{1,2}\.\d{3}),(-?\d{1,3}\.\d{3})$/.exec(cell);
  if (!m) return undefined;
  const latitude = Number(m[1]);
  const longitude = Number(m[2]);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

function thousandths(degrees: number): string {
  // + 0 turns -0 into 0, which would be a cell of its own.
  return (Math.round(degrees * 1_000) / 1_000 + 0).toFixed(3);
}
