// Which volume a mount shows. The outputs of mountinfo, mount, diskutil and lsblk here are written after real ones, not
// recorded on the machine that runs the test; macOS itself was not at hand.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { NewerDataError, openCatalog } from '../../../agent/catalog/catalog.ts';
import { isForPeople, isPseudo, placeMounts, within } from '../../../agent/volumes/identify.ts';
import { parseLsblk, parseMountinfo } from '../../../agent/volumes/linux.ts';
import { parseMacMounts, readDiskutilInfo } from '../../../agent/volumes/macos.ts';
import { parsePlist } from '../../../agent/volumes/plist.ts';
import type { Mount } from '../../../agent/volumes/types.ts';
import { createVolumes, findVolume, MARKER_FILE } from '../../../agent/volumes/volumes.ts';
import { createFakeVolumes, type FakeVolumes } from '../../support/fake-volumes.ts';

let drives: FakeVolumes | null = null;
afterEach(() => { drives?.remove(); drives = null; });

const SIZE = { capacity_bytes: 1000, free_bytes: 500 };

function mount(change: Partial<Mount>): Mount {
  return { mount_point: '/m', fs_type: 'ext4', source: '/dev/sdb1', device: '8:17', root: '/', read_only: false, uuid: null, label: null, removable: true, ...change };
}

function place(mounts: Mount[], markers: Record<string, string> = {}): { id: string; point: string; base: string; identity: string }[] {
  return placeMounts(mounts, () => SIZE, (m) => markers[m.mount_point] ?? null).map((p) => ({ id: p.volume.volume_id, point: p.mount.mount_point, base: p.base, identity: p.volume.identity }));
}

describe('Linux', () => {
  test('mountinfo: escapes, optional fields, later mounts hiding earlier ones, odd lines', () => {
    const lines = parseMountinfo([
      '27 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw',
      '90 27 8:17 / /media/ann/Blue\\040SSD\\134x rw,nosuid shared:40 master:2 - exfat /dev/sdb1 rw,uid=1000',
      '91 27 0:50 / /mnt/share ro - nfs4 nas:/photos ro,vers=4.2',
      '92 27 8:33 / /mnt/share rw - ext4 /dev/sdc1 rw',
      'nonsense', '',
    ].join('\n'));
    expect(lines.map((l) => [l.mount_point, l.fs_type, l.source, l.device])).toEqual([
      ['/', 'ext4', '/dev/sda2', '8:2'], ['/media/ann/Blue SSD\\x', 'exfat', '/dev/sdb1', '8:17'], ['/mnt/share', 'ext4', '/dev/sdc1', '8:33'],
    ]);
  });

  test('lsblk: partitions below disks, and no answer at all', () => {
    const text = JSON.stringify({ blockdevices: [{ 'maj:min': '8:0', uuid: null, label: null, children: [{ 'maj:min': ' 8:1', uuid: '1A2B-3C4D', label: 'EOS' }] }] });
    expect(parseLsblk(text).get('8:1')).toEqual({ uuid: '1A2B-3C4D', label: 'EOS' });
    expect(parseLsblk('lsblk: failed').size).toBe(0);
  });

  test('this machine\'s own mounts are read', async () => {
    const volumes = createVolumes({ testFile: undefined });
    const here = await volumes.find(process.cwd());
    expect(here && join(here.volume.mount_point, here.path)).toBe(process.cwd());
    expect(volumes.mountPoints().has('/proc')).toBe(false);
    for (const v of await volumes.list()) expect(v.mount_point).not.toMatch(/^\/(proc|sys|dev)(\/|$)/);
  });
});

describe('identity', () => {
  test('a UUID, a marker, else weak signs', () => {
    expect(place([mount({ uuid: 'AB-12' })])).toEqual([{ id: 'uuid:ab-12', point: '/m', base: '', identity: 'uuid' }]);
    expect(place([mount({})], { '/m': 'abcdefgh-1' })).toEqual([{ id: 'marker:abcdefgh-1', point: '/m', base: '', identity: 'marker' }]);
    const [weak] = place([mount({})]);
    expect(weak?.identity).toBe('weak');
    expect(weak?.id).toMatch(/^weak:[0-9a-f]{24}$/);
    // The same signs under another mount point are the same weak identity; another size is not.
    expect(place([mount({ mount_point: '/n' })])[0]?.id).toBe(weak?.id);
    expect(place([mount({ label: 'x' })])[0]?.id).not.toBe(weak?.id);
  });

  test('a cloned drive beside its original: neither is believed', () => {
    const both = place([mount({ uuid: 'aa' }), mount({ uuid: 'aa', device: '8:33', source: '/dev/sdc1', mount_point: '/n' })]);
    expect(both.map((b) => b.identity)).toEqual(['weak', 'weak']);
    expect(new Set(both.map((b) => b.id)).size).toBe(2);
  });

  test('bind mounts are the same volume; a subtree alone, and a subvolume beside another, are their own', () => {
    expect(place([mount({ uuid: 'aa', mount_point: '/' }), mount({ uuid: 'aa', mount_point: '/srv/pics', root: '/home/ann/pics' })])).toEqual([
      { id: 'uuid:aa', point: '/', base: '', identity: 'uuid' }, { id: 'uuid:aa', point: '/srv/pics', base: 'home/ann/pics', identity: 'uuid' },
    ]);
    expect(place([mount({ uuid: 'aa', root: '/home/ann/pics' })])[0]?.id).toBe('uuid:aa#/home/ann/pics');
    expect(place([mount({ uuid: 'bb', fs_type: 'btrfs', root: '/@', mount_point: '/' }), mount({ uuid: 'bb', fs_type: 'btrfs', root: '/@home', mount_point: '/home' })]).map((p) => p.id)).toEqual(['uuid:bb#/@', 'uuid:bb#/@home']);
  });

  test('inodes and names are trusted only where they last', () => {
    const of = (fs: string): unknown[] => placeMounts([mount({ uuid: 'aa', fs_type: fs })], () => SIZE, () => null).map((p) => [p.volume.fs_id, p.volume.exact_names])[0] ?? [];
    expect(of('ext4')).toEqual(['uuid:aa', true]);
    expect(of('apfs')).toEqual(['uuid:aa', false]);
    expect(of('exfat')).toEqual([null, false]);
    expect(of('nfs4')).toEqual([null, true]);
  });

  test('what is shown to people', () => {
    expect(isPseudo(mount({ fs_type: 'proc' }))).toBe(true);
    expect(isForPeople(mount({ fs_type: 'tmpfs' }))).toBe(false);
    expect(isForPeople(mount({ mount_point: '/boot/efi' }))).toBe(false);
    expect(isForPeople(mount({ mount_point: '/run/media/ann/X' }))).toBe(true);
    expect(isForPeople(mount({ mount_point: '/run/user/1000' }))).toBe(false);
    expect(isForPeople(mount({ mount_point: '/System/Volumes/Preboot' }))).toBe(false);
    expect(isForPeople(mount({ mount_point: '/System/Volumes/Data' }))).toBe(true);
  });

  test('a path below a bind mount is a path of the volume', () => {
    const placed = placeMounts([mount({ uuid: 'aa', mount_point: '/nowhere/a' }), mount({ uuid: 'aa', mount_point: '/nowhere/b', root: '/x/y' })], () => SIZE, () => null);
    expect(findVolume('/nowhere/b/z.jpg', placed)?.path).toBe('x/y/z.jpg');
    expect(findVolume('/elsewhere', placed)).toBeUndefined();
    expect(within('/nowhere/a', '/nowhere/ab')).toBeUndefined();
  });
});

describe('macOS, on outputs written after real ones', () => {
  test('mount', () => {
    expect(parseMacMounts([
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
      '/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)',
      '/dev/disk4s1 on /Volumes/Blue on (2) (exfat, local, nodev, nosuid, read-only, noowners)',
      '//ann@nas._smb._tcp.local/photos on /Volumes/photos (smbfs, nodev, nosuid, mounted by ann)',
    ].join('\n')).map((m) => [m.source, m.mount_point, m.fs_type, m.options.includes('read-only')])).toEqual([
      ['/dev/disk3s1s1', '/', 'apfs', true], ['/dev/disk3s5', '/System/Volumes/Data', 'apfs', false],
      ['/dev/disk4s1', '/Volumes/Blue on (2)', 'exfat', true], ['//ann@nas._smb._tcp.local/photos', '/Volumes/photos', 'smbfs', false],
    ]);
  });

  test('diskutil info', () => {
    const plist = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>APFSSnapshot</key>
	<false/>
	<key>Ejectable</key>
	<true/>
	<key>Nested</key>
	<array><dict><key>a</key><integer>1</integer></dict><string/></array>
	<key>TotalSize</key>
	<integer>2000398934016</integer>
	<key>VolumeName</key>
	<string>Ann &amp; Bob&#39;s &lt;SSD&gt;</string>
	<key>VolumeUUID</key>
	<string>0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0</string>
</dict>
</plist>`;
    expect(readDiskutilInfo(plist)).toEqual({ uuid: '0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0', label: 'Ann & Bob\'s <SSD>', removable: true });
    expect(parsePlist(plist)).toMatchObject({ Nested: [{ a: 1 }, ''], TotalSize: 2000398934016 });
    expect(readDiskutilInfo('Could not find disk: disk9')).toEqual({ uuid: null, label: null, removable: false });
    expect(readDiskutilInfo(plist.slice(0, 420))).toMatchObject({ uuid: null });
  });
});

describe('stand-ins and markers', () => {
  test('a stand-in is listed while its folder is there, nested ones win, and a watch tells of changes', async () => {
    drives = createFakeVolumes();
    const blue = drives.plugIn('blue');
    const inner = drives.plugIn('inner', { mount_point: join(blue, 'mnt') });
    mkdirSync(join(inner, 'x'));
    const volumes = createVolumes({ testFile: drives.file });
    expect((await volumes.list()).map((v) => v.label)).toEqual(expect.arrayContaining(['blue', 'inner']));
    expect(await volumes.find(join(inner, 'x'))).toMatchObject({ path: 'x', volume: { volume_id: 'uuid:inner' } });
    const told = new Promise<void>((resolve) => { const stop = volumes.watch(() => { stop(); resolve(); }); });
    const keep = setInterval(() => undefined, 1_000);
    drives.unplug('blue');
    await told;
    clearInterval(keep);
    expect(await volumes.get('uuid:blue')).toBeUndefined();
  });

  test('a marker is written once, never over another file, and honoured where it is', async () => {
    drives = createFakeVolumes();
    const top = drives.plugIn('card', { volume_id: 'weak:card', identity: 'weak' });
    const volumes = createVolumes({ testFile: drives.file });
    writeFileSync(join(top, MARKER_FILE), 'not ours');
    await expect(volumes.allowMarker('weak:card')).rejects.toThrow();
    expect(readFileSync(join(top, MARKER_FILE), 'utf8')).toBe('not ours');
    rmSync(join(top, MARKER_FILE));
    const marked = await volumes.allowMarker('weak:card');
    expect(await volumes.allowMarker(marked.volume_id)).toMatchObject({ volume_id: marked.volume_id });
    drives.plugIn('clone', { volume_id: 'weak:clone', identity: 'weak' });
    writeFileSync(join(drives.folder, 'clone', MARKER_FILE), readFileSync(join(top, MARKER_FILE)));
    expect((await volumes.list()).filter((v) => v.mount_point.startsWith(drives?.folder ?? '')).map((v) => v.identity)).toEqual(['weak', 'weak']);
  });
});

describe('the catalog\'s file', () => {
  test('a newer one is refused and left alone; counter and names last', () => {
    drives = createFakeVolumes();
    const file = join(drives.folder, 'catalog.db');
    const first = openCatalog(file);
    const before = first.transact(() => first.nextRevision());
    const { agentId, epoch } = first;
    first.close();
    const second = openCatalog(file);
    expect([second.agentId, second.epoch]).toEqual([agentId, epoch]);
    expect(second.transact(() => second.nextRevision())).toBeGreaterThan(before);
    second.raiseRevision(9_007_199_254_000_000);
    expect(second.transact(() => second.nextRevision())).toBeGreaterThan(9_007_199_254_000_000);
    expect(() => second.transact(() => { second.setMeta('x', '1'); throw new Error('no'); })).toThrow('no');
    expect(second.getMeta('x')).toBeUndefined();
    second.transact(() => second.setMeta('data_version', '99'));
    second.close();
    expect(() => openCatalog(file)).toThrow(NewerDataError);
  });
});
