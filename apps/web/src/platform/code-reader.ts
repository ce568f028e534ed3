interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

interface DetectorClass {
  new (options: { formats: ['qr_code'] }): Detector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** What a QR code in the picture says; undefined while there is none to read. */
export type ReadCode = (video: HTMLVideoElement) => Promise<string | undefined>;

/** The browser's own, which not all have, and those that do not for every format. */
const nativeDetector = async (): Promise<DetectorClass | undefined> => {
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: DetectorClass };
  const formats = await BarcodeDetector?.getSupportedFormats().catch((): string[] => []);
  return formats?.includes('qr_code') ? BarcodeDetector : undefined;
};

/** Reads codes with what the browser has, or with a library of the same interface that is loaded now. */
export const createCodeReader = async (): Promise<ReadCode> => {
  const Detector = (await nativeDetector()) ?? (await import('qr/decode.js')).BarcodeDetector;
  const detector = new Detector({ formats: ['qr_code'] });
  return async (video) => (await detector.detect(video))[0]?.rawValue;
};
