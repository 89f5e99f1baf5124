// What a file system's refusal means for the owner: errno to problem code and a sentence. Opens nothing.
import type { ProblemCode } from '../../protocol/words.ts';

/** A file or folder that could not be used; `code` and `message` are what the problems page shows. */
export class FileError extends Error {
  readonly code: ProblemCode;
  /** The errno behind it, or '' where there is none. */
  readonly errno: string;
  constructor(code: ProblemCode, errno: string, message: string) { super(message); this.name = 'FileError'; this.code = code; this.errno = errno; }
}

/** Errors that a drive gives when it is being pulled out, is dying, or a share has gone. */
const DEVICE_ERRNOS = new Set(['EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'EHOSTUNREACH', 'ETIMEDOUT', 'ENOMEDIUM', 'EREMOTEIO', 'ESHUTDOWN', 'EBADF']);

/** True where the volume itself is in doubt, so that its presence must be looked at before anything is recorded. */
export function isDeviceTrouble(error: FileError): boolean {
  return DEVICE_ERRNOS.has(error.errno) || error.errno === 'ENOENT' || error.errno === 'ENOTDIR';
}

/** True where a read came back with an error of the device (not just a name that is not there). */
export function isReadTrouble(error: FileError): boolean {
  return DEVICE_ERRNOS.has(error.errno);
}

function errnoOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const PRIVACY = 'macOS does not let this program read here. Allow it in System Settings, Privacy & Security, Files and Folders (or Full Disk Access), then scan again.';

/** Turns what node:fs threw into a FileError. Errors that come from no system call are passed on as they are (a bug must show). */
export function explainError(error: unknown, platform: NodeJS.Platform): unknown {
  if (error instanceof FileError) return error;
  const errno = errnoOf(error);
  if (errno === '' || !/^E[A-Z0-9]+$/.test(errno)) return error;
  switch (errno) {
    case 'ENOENT': case 'ENOTDIR': return new FileError('vanished', errno, 'It was there a moment ago and is gone.');
    case 'ELOOP': return new FileError('changed_while_read', errno, 'It became a link while it was being read.');
    case 'EACCES': case 'EPERM':
      return platform === 'darwin' ? new FileError('privacy', errno, PRIVACY) : new FileError('unreadable', errno, 'This program has no permission to read it.');
    case 'ENAMETOOLONG': case 'EILSEQ': return new FileError('bad_name', errno, 'Its path is too long or has characters that cannot be used.');
    case 'ENOSPC': case 'EDQUOT': return new FileError('disk_full', errno, 'The disk that holds the library is full.');
    case 'EMFILE': case 'ENFILE': return new FileError('other', errno, 'Too many files are open on this computer at once.');
    default:
      return DEVICE_ERRNOS.has(errno)
        ? new FileError('unreadable', errno, `The drive could not read it (${errno}).`)
        : new FileError('other', errno, `It could not be read (${errno}).`);
  }
}
