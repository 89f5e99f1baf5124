// The icons that pages use, from lucide, and the mark. Only what is named here reaches the bundle.
import Archive from 'lucide/dist/esm/icons/archive.mjs';
import ArrowLeft from 'lucide/dist/esm/icons/arrow-left.mjs';
import CalendarDays from 'lucide/dist/esm/icons/calendar-days.mjs';
import Camera from 'lucide/dist/esm/icons/camera.mjs';
import ChevronFirst from 'lucide/dist/esm/icons/chevron-first.mjs';
import ChevronLast from 'lucide/dist/esm/icons/chevron-last.mjs';
import ChevronDown from 'lucide/dist/esm/icons/chevron-down.mjs';
import ChevronLeft from 'lucide/dist/esm/icons/chevron-left.mjs';
import ChevronRight from 'lucide/dist/esm/icons/chevron-right.mjs';
import Clock from 'lucide/dist/esm/icons/clock.mjs';
import CircleDotDashed from 'lucide/dist/esm/icons/circle-dot-dashed.mjs';
import Copy from 'lucide/dist/esm/icons/copy.mjs';
import CornerLeftUp from 'lucide/dist/esm/icons/corner-left-up.mjs';
import Download from 'lucide/dist/esm/icons/download.mjs';
import Ellipsis from 'lucide/dist/esm/icons/ellipsis.mjs';
import Film from 'lucide/dist/esm/icons/film.mjs';
import Folder from 'lucide/dist/esm/icons/folder.mjs';
import GalleryVerticalEnd from 'lucide/dist/esm/icons/gallery-vertical-end.mjs';
import HardDrive from 'lucide/dist/esm/icons/hard-drive.mjs';
import HardDriveDownload from 'lucide/dist/esm/icons/hard-drive-download.mjs';
import Grid2x2 from 'lucide/dist/esm/icons/grid-2x2.mjs';
import Grid3x3 from 'lucide/dist/esm/icons/grid-3x3.mjs';
import Heart from 'lucide/dist/esm/icons/heart.mjs';
import Image from 'lucide/dist/esm/icons/image.mjs';
import Images from 'lucide/dist/esm/icons/images.mjs';
import Info from 'lucide/dist/esm/icons/info.mjs';
import ListPlus from 'lucide/dist/esm/icons/list-plus.mjs';
import MapIcon from 'lucide/dist/esm/icons/map.mjs';
import MapPin from 'lucide/dist/esm/icons/map-pin.mjs';
import Layers from 'lucide/dist/esm/icons/layers.mjs';
import Pencil from 'lucide/dist/esm/icons/pencil.mjs';
import Play from 'lucide/dist/esm/icons/play.mjs';
import Plus from 'lucide/dist/esm/icons/plus.mjs';
import Presentation from 'lucide/dist/esm/icons/presentation.mjs';
import Search from 'lucide/dist/esm/icons/search.mjs';
import Settings from 'lucide/dist/esm/icons/settings.mjs';
import Sparkles from 'lucide/dist/esm/icons/sparkles.mjs';
import Star from 'lucide/dist/esm/icons/star.mjs';
import TagIcon from 'lucide/dist/esm/icons/tag.mjs';
import TrashIcon from 'lucide/dist/esm/icons/trash.mjs';
import TriangleAlert from 'lucide/dist/esm/icons/triangle-alert.mjs';
import Undo2 from 'lucide/dist/esm/icons/undo-2.mjs';
import X from 'lucide/dist/esm/icons/x.mjs';
import { MARK_PATHS } from './mark.ts';

const ICONS = {
  album: GalleryVerticalEnd, albumAdd: ListPlus, archive: Archive, back: ArrowLeft, calendar: CalendarDays, camera: Camera, clock: Clock, close: X, copies: Copy, down: ChevronDown, download: Download, drive: HardDrive, edit: Pencil, film: Film, folder: Folder, heart: Heart,
  larger: Grid2x2, smaller: Grid3x3,
  image: Image, info: Info, left: ChevronLeft, live: CircleDotDashed, map: MapIcon, more: Ellipsis, original: HardDriveDownload, place: MapPin, play: Play, problem: TriangleAlert, right: ChevronRight, search: Search, settings: Settings,
  similar: Images, first: ChevronFirst, last: ChevronLast, stack: Layers, plus: Plus, smart: Sparkles, tag: TagIcon, slideshow: Presentation, star: Star, trash: TrashIcon, undo: Undo2, up: CornerLeftUp,
} as const;
export type IconName = keyof typeof ICONS;

/** Decoration: the words beside it, or its button's label, carry the meaning. */
export function Icon(props: { name: IconName; small?: boolean }) {
  return (
    <svg class={props.small ? 'icon icon-small' : 'icon'} viewBox="0 0 24 24" aria-hidden="true">
      {ICONS[props.name].map(([Tag, attributes]) => <Tag {...attributes} />)}
    </svg>
  );
}

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {MARK_PATHS.map((d) => <path d={d} />)}
    </svg>
  );
}
