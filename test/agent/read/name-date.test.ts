// Times as the names of files spell them: phones, programs, screenshots in many languages; and the numbers that are no times.
import { describe, expect, it } from 'vitest';
import { nameClaims } from '../../../agent/pipeline/name-date.ts';
import { TimeClaim } from '../../../protocol/rows.ts';

const wall = (name: string) => nameClaims(name, 0)[0]?.wall ?? null;
const utc = (name: string) => nameClaims(name, 0)[0]?.utc_ms ?? null;
const MORNING = '2023-03-25T10:11:12';
const EVENING = '2023-03-25T22:11:12';

describe('nameClaims', () => {
  it.each([
    ['IMG_20230325_101112.jpg', MORNING], ['VID_20230325_101112.mp4', MORNING], ['VID_20230325_101112123.mp4', MORNING], ['IMG20230325101112.jpg', MORNING], ['MVIMG_20230325_101112.jpg', MORNING],
    ['IMG_20230325_101112_BURST001.jpg', MORNING], ['IMG_20230325_101112~2.jpg', MORNING], ['20230325_101112.heic', MORNING], ['20230325_101112(1).jpg', MORNING], ['Resized_20230325_101112_123456.jpeg', MORNING],
    ['00001IMG_00001_BURST20230325101112345.jpg', MORNING], ['00100dPORTRAIT_00100_BURST20230325101112345_COVER.jpg', MORNING], ['Burst_Cover_GIF_Action_20230325101112.gif', MORNING],
    ['signal-2023-03-25-101112.jpg', MORNING], ['signal-2023-03-25-10-11-12-345.jpg', MORNING], ['telegram_2023-03-25_10-11-12.jpg', MORNING], ['photo_2023-03-25_10-11-12.jpg', MORNING], ['photo_2023-03-25_10-11-12 (2).jpg', MORNING],
    ['WhatsApp Image 2023-03-25 at 10.11.12.jpeg', MORNING], ['WhatsApp Image 2023-03-25 at 10.11.12 PM.jpeg', EVENING], ['viber image 2023-03-25 , 10.11.12.jpg', MORNING], ['WP_20230325_10_11_12_Pro.jpg', MORNING],
    ['2023-03-25 10.11.12.jpg', MORNING], ['2023-03-25 10_11_12.mov', MORNING], ['DJI_20230325101112_0001_D.MP4', MORNING], ['20230325_101112_E468CEE5.mov', MORNING],
    ['Screenshot_20230325-101112.png', MORNING], ['Screenshot_2023-03-25-10-11-12-123_com.app.jpg', MORNING], ['Screenshot 2023-03-25 101112.png', MORNING], ['Screenshot from 2023-03-25 10-11-12.png', MORNING],
  ])('%s, as phones and programs write it', (name, want) => { expect(wall(name)).toBe(want); });

  it.each([
    ['Screenshot 2023-03-25 at 10.11.12.png', MORNING], ['Screen Shot 2023-03-25 at 10.11.12 PM.png', EVENING], ['Screenshot 2023-03-25 at 10.11.12\u202fPM.png', EVENING], ['Screenshot 2023-03-25 at 9.11.12 AM.png', '2023-03-25T09:11:12'],
    ['Screenshot 2023-03-25 at 12.11.12 AM.png', '2023-03-25T00:11:12'], ['Bildschirmfoto 2023-03-25 um 10.11.12.png', MORNING], ['Bildschirmfoto vom 2023-03-25 10-11-12.png', MORNING],
    ['Captura de pantalla 2023-03-25 a las 10.11.12.png', MORNING], ['Captura de pantalla 2023-03-25 a la(s) 10.11.12 p.m..png', EVENING], ['Captura de pantalla 2023-03-25 a las 10.11.12 p. m..png', EVENING],
    ['Capture d’écran 2023-03-25 à 10.11.12.png', MORNING], ['Capture d’écran 2023-03-25 à 10.11.12.png'.normalize('NFD'), MORNING], ['Schermata 2023-03-25 alle 10.11.12.png', MORNING], ['Schermata 2023-03-25 alle ore 10.11.12.png', MORNING],
    ['Skärmavbild 2023-03-25 kl. 10.11.12.png', MORNING], ['Skærmbillede 2023-03-25 kl. 10.11.12.png', MORNING], ['Näyttökuva 2023-3-25 kello 10.11.12.png', MORNING], ['Schermafbeelding 2023-03-25 om 10.11.12.png', MORNING],
    ['Captura de Tela 2023-03-25 às 10.11.12.png', MORNING], ['Zrzut ekranu 2023-03-25 o 10.11.12.png', MORNING], ['Snímek obrazovky 2023-03-25 v 10.11.12.png', MORNING], ['Ekran Resmi 2023-03-25 10.11.12.png', MORNING],
    ['Снимок экрана 2023-03-25 в 10.11.12.png', MORNING], ['Στιγμιότυπο 2023-03-25, 10.11.12 μ.μ..png', EVENING], ['スクリーンショット 2023-03-25 10.11.12.png', MORNING], ['スクリーンショット 2023-03-25 午後10.11.12.png', EVENING],
    ['Знімок екрана 2023-03-25 о 10.11.12.png', MORNING], ['Екранна снимка 2023-03-25 в 10.11.12.png', MORNING], ['Skjermbilde 2023-03-25 kl. 10.11.12.png', MORNING], ['Captură de ecran 2023-03-25 la 10.11.12.png', MORNING],
    ['Snimka zaslona 2023-03-25 u 10.11.12.png', MORNING], ['Posnetek zaslona 2023-03-25 ob 10.11.12.png', MORNING], ['Captura de pantalla 2023-03-25 a les 10.11.12.png', MORNING], ['Képernyőfotó 2023-03-25 - 10.11.12.png', MORNING],
    ['Ảnh chụp Màn hình 2023-03-25 lúc 10.11.12.png', MORNING], ['Cuplikan Layar 2023-03-25 pukul 10.11.12.png', MORNING], ['Στιγμιότυπο οθόνης 2023-03-25 στις 10.11.12 π.μ..png', MORNING], ['Ekran Resmi 2023-03-25 ÖS 10.11.12.png', EVENING],
    ['لقطة شاشة 2023-03-25 في 10.11.12 ص.png', MORNING], ['لقطة شاشة \u200f٢٠٢٣-٠٣-٢٥ في ١٠.١١.١٢ م.png', EVENING], ['نماگرفت ۲۰۲۳-۰۳-۲۵ ۱۰.۱۱.۱۲.png', MORNING], ['צילום מסך 2023-03-25 ב-10.11.12.png', MORNING],
    ['स्क्रीनशॉट 2023-03-25 को 10.11.12 pm.png', EVENING], ['ภาพถ่ายหน้าจอ 2566-03-25 เวลา 10.11.12.png', MORNING], ['ภาพถ่ายหน้าจอ ๒๕๖๖-๐๓-๒๕ เวลา ๑๐.๑๑.๑๒.png', MORNING], ['ภาพถ่ายหน้าจอ 2023-03-25 เวลา 10.11.12.png', MORNING], ['截屏2023-03-25 上午10.11.12.png', MORNING], ['截屏2023-03-25 下午10.11.12.png', EVENING], ['截圖 2023-03-25 晚上10.11.12.png', EVENING], ['스크린샷 2023-03-25 오후 10.11.12.png', EVENING],
  ])('%s, a screenshot', (name, want) => { expect(wall(name)).toBe(want); });

  it('takes Pixel’s names and epochs as UTC', () => {
    expect(nameClaims('PXL_20220724_210650210.NIGHT.mp4', 0)).toEqual([{ source: 'name', wall: null, utc_ms: Date.UTC(2022, 6, 24, 21, 6, 50), offset_minutes: null, offset_source: null }]);
    expect(utc('PXL_20220724_210650210.PORTRAIT-01.COVER.jpg')).toBe(Date.UTC(2022, 6, 24, 21, 6, 50));
    for (const name of ['FB_IMG_1523423423423.jpg', 'mmexport1523423423423.jpg', 'wx_camera_1523423423423.jpg', '1523423423423.jpg', '1523423423423(1).jpg']) expect(utc(name), name).toBe(1_523_423_423_423);
    expect(utc('RPReplay_Final1523423423.mp4')).toBe(1_523_423_423_000);
  });

  it('claims midnight for a name that says a day alone', () => {
    for (const name of ['IMG-20230325-WA0122.jpg', 'VID-20230325-WA0001.mp4', '2023-03-25.jpg', 'DSC_20230325.jpg', '2023.03.25 Oma.jpg', '20230325_1011.jpg', 'IMG_20230325_999999.jpg']) expect(wall(name), name).toBe('2023-03-25T00:00:00');
    expect(wall('1919-07-14 wedding.jpg')).toBe('1919-07-14T00:00:00');
  });

  it.each([
    'IMG_1234.jpg', 'DSC00123.ARW', 'GOPR0533.MP4', 'GX010048.MP4', 'Screenshot (12).png', 'Screenshot 2.png', '20259999_104552.jpg', '000000000285.jpg', '12345678901234567890.jpg', '30001231_101010.jpg', '18251231_101010.jpg', '25660325_101010.jpg', '25660325.jpg',
    'a9f86d20190521104552c7d659a2feaa0c.jpg', '5550e840-e29b-41d4-a716-202305250000.jpg', 'X20190521Y.jpg', '1920x1080.jpg', '20192160.jpg', 'received_10156843412345678.jpeg', '15234234234231.jpg', 'Snapchat-1523423423.jpg', 'IMG_2019052.jpg', '201905.jpg', '2019_1_2.jpg', '',
  ])('%s says nothing', (name) => { expect(nameClaims(name, 0)).toEqual([]); });

  it('puts the mtime last, as UTC, before 1970 too', () => {
    const claims = nameClaims('IMG_20190521_104552.jpg', 1_600_000_000_123.7);
    expect(claims.map((c) => c.source)).toEqual(['name', 'mtime']);
    expect(claims[1]?.utc_ms).toBe(1_600_000_000_124);
    for (const claim of claims) expect(TimeClaim.safeParse(claim).success).toBe(true);
    expect(nameClaims('x.jpg', -86_400_000.5)[0]?.utc_ms).toBe(-86_400_000);
    expect(nameClaims('x.jpg', NaN)).toEqual([]);
  });

  it('is quick on hostile names', () => {
    const started = performance.now();
    for (const name of ['2'.repeat(100_000), '2023-03-25 '.repeat(5_000), `${' '.repeat(50_000)}2023`, '2023-'.repeat(20_000), 'a'.repeat(100_000)]) nameClaims(name, 0);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
