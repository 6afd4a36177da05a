/** The few parts of emscripten's file system that a backend is written against. */
export interface EmscriptenFs {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: FsNode | null, name: string, mode: number, dev: number): FsNode;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  mkdir(path: string): void;
  mount(type: FsType, options: { root: string }, at: string): void;
  analyzePath(path: string): { exists: boolean };
  streams: (FsStream | undefined)[];
}

export interface FsNode {
  id: number;
  name: string;
  mode: number;
  parent: FsNode;
  mount: { opts: { root: string } };
  node_ops: unknown;
  stream_ops: unknown;
}

export interface FsStream {
  node: FsNode;
  flags: number;
  position: number;
  seekable?: boolean;
  stream_ops: unknown;
  file?: Deno.FsFile;
  filePosition?: number;
}

export interface FsType {
  mount(mount: unknown): FsNode;
}

/** WASI error numbers, which emscripten's libc speaks. */
export const ERRNO = {
  ACCES: 2,
  EXIST: 20,
  INVAL: 28,
  IO: 29,
  ISDIR: 31,
  NOENT: 44,
  NOSPC: 51,
  NOTDIR: 54,
  NOTEMPTY: 55,
  PIPE: 64,
  SPIPE: 70,
} as const;

const OPEN_CREATE = 0o100;
const OPEN_TRUNCATE = 0o1000;

/**
 * The host's files for WebAssembly, straight through Deno's synchronous calls: nothing is copied into
 * memory. The build has only in-memory file systems of its own. `onTouch` is called before each read and write.
 */
export function hostFileSystem(fs: EmscriptenFs, onTouch: () => void): FsType {
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw thrown instanceof fs.ErrnoError ? thrown : new fs.ErrnoError(errnoOf(thrown));
    }
  };
  const newNode = (parent: FsNode | null, name: string, mode: number): FsNode => {
    const node = fs.createNode(parent, name, mode, 0);
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    return node;
  };
  const nodeOps = {
    getattr: (node: FsNode) => guard(() => attributes(node)),
    setattr: (node: FsNode, change: { size?: number; mode?: number }) =>
      guard(() => {
        if (change.size !== undefined) Deno.truncateSync(hostPath(node), change.size);
        if (change.mode !== undefined) node.mode = change.mode;
      }),
    lookup: (parent: FsNode, name: string) =>
      guard(() => newNode(parent, name, modeOf(Deno.statSync(`${hostPath(parent)}/${name}`)))),
    mknod: (parent: FsNode, name: string, mode: number) =>
      guard(() => {
        const node = newNode(parent, name, mode);
        if (fs.isDir(mode)) Deno.mkdirSync(hostPath(node));
        else Deno.writeFileSync(hostPath(node), new Uint8Array());
        return node;
      }),
    rename: (node: FsNode, parent: FsNode, name: string) =>
      guard(() => {
        Deno.renameSync(hostPath(node), `${hostPath(parent)}/${name}`);
        node.name = name;
      }),
    unlink: (parent: FsNode, name: string) => guard(() => Deno.removeSync(`${hostPath(parent)}/${name}`)),
    rmdir: (parent: FsNode, name: string) => guard(() => Deno.removeSync(`${hostPath(parent)}/${name}`)),
    readdir: (node: FsNode) =>
      guard(() => [".", "..", ...[...Deno.readDirSync(hostPath(node))].map((entry) => entry.name)]),
  };
  const streamOps = {
    open: (stream: FsStream) => guard(() => openStream(fs, stream)),
    close: (stream: FsStream) => guard(() => stream.file?.close()),
    read: (stream: FsStream, heap: Int8Array, offset: number, length: number, position: number) =>
      guard(() => {
        onTouch();
        return length === 0 ? 0 : readAt(stream, bytesOf(heap, offset, length), position);
      }),
    write: (stream: FsStream, heap: Int8Array, offset: number, length: number, position: number) =>
      guard(() => {
        onTouch();
        return writeAt(stream, bytesOf(heap, offset, length), position);
      }),
    llseek: (stream: FsStream, offset: number, whence: number) => {
      let position = offset;
      if (whence === 1) position += stream.position;
      if (whence === 2) position += guard(() => stream.file?.statSync().size ?? 0);
      if (position < 0) throw new fs.ErrnoError(ERRNO.INVAL);
      return position;
    },
  };
  return { mount: () => newNode(null, "/", 0o40755) };
}

/** The host path behind a node: the mount's root and the names down to it. */
function hostPath(node: FsNode): string {
  const names: string[] = [];
  let at = node;
  for (; at.parent !== at; at = at.parent) names.push(at.name);
  return [at.mount.opts.root, ...names.reverse()].join("/");
}

function modeOf(info: Deno.FileInfo): number {
  return (info.isDirectory ? 0o40000 : 0o100000) | ((info.mode ?? 0o644) & 0o777);
}

function attributes(node: FsNode) {
  const info = Deno.statSync(hostPath(node));
  const time = info.mtime ?? new Date(0);
  return {
    dev: 1,
    ino: node.id,
    mode: modeOf(info),
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: info.size,
    atime: time,
    mtime: time,
    ctime: time,
    blksize: 4096,
    blocks: Math.ceil(info.size / 512),
  };
}

function openStream(fs: EmscriptenFs, stream: FsStream): void {
  if (!fs.isFile(stream.node.mode)) return;
  const access = stream.flags & 3;
  const write = access !== 0;
  stream.file = Deno.openSync(hostPath(stream.node), {
    read: access !== 1,
    write,
    create: write && (stream.flags & OPEN_CREATE) !== 0,
    truncate: write && (stream.flags & OPEN_TRUNCATE) !== 0,
  });
  stream.filePosition = 0;
}

/** Deno's files have no positioned read: the place is remembered, and sought only when it moved. */
function readAt(stream: FsStream, into: Uint8Array, position: number): number {
  if (!stream.file) return 0;
  if (stream.filePosition !== position) stream.file.seekSync(position, Deno.SeekMode.Start);
  const count = stream.file.readSync(into) ?? 0;
  stream.filePosition = position + count;
  return count;
}

function writeAt(stream: FsStream, from: Uint8Array, position: number): number {
  if (!stream.file) return 0;
  if (stream.filePosition !== position) stream.file.seekSync(position, Deno.SeekMode.Start);
  let count = 0;
  while (count < from.byteLength) count += stream.file.writeSync(from.subarray(count));
  stream.filePosition = position + count;
  return count;
}

/** A view of the heap; the heap may be replaced when it grows, so it is never kept. */
export function bytesOf(heap: Int8Array, offset: number, length: number): Uint8Array {
  return new Uint8Array(heap.buffer as ArrayBuffer, heap.byteOffset + offset, length);
}

function errnoOf(thrown: unknown): number {
  if (thrown instanceof Deno.errors.NotFound) return ERRNO.NOENT;
  if (thrown instanceof Deno.errors.AlreadyExists) return ERRNO.EXIST;
  if (thrown instanceof Deno.errors.PermissionDenied || thrown instanceof Deno.errors.NotCapable) {
    return ERRNO.ACCES;
  }
  if (thrown instanceof Deno.errors.NotADirectory) return ERRNO.NOTDIR;
  if (thrown instanceof Deno.errors.IsADirectory) return ERRNO.ISDIR;
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC") return ERRNO.NOSPC;
  return ERRNO.IO;
}
