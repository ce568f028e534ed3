import { useEffect, useRef, useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { CameraError, closeCamera, openCamera } from '../../platform/camera.ts';
import type { CameraTrouble } from '../../platform/camera.ts';
import { createCodeReader } from '../../platform/code-reader.ts';
import './scanner.css';
import './words.ts';

/** Between two looks at the picture, in ms. */
const REST_MS = 120;

const TROUBLES: Record<CameraTrouble, Key> = {
  missing: 'trust.cameraMissing',
  refused: 'trust.cameraRefused',
  failed: 'trust.cameraFailed',
};

interface ScannerProps {
  /** What has to be held before the camera. */
  says: string;
  /** Of a code that is not the one: the camera goes on. */
  problem: string | undefined;
  onCode(text: string): void;
}

/** The camera, until it sees a code. Nothing of the picture is kept. */
export const Scanner = ({ says, problem, onCode }: ScannerProps) => {
  const video = useRef<HTMLVideoElement>(null);
  const heard = useRef(onCode);
  const [trouble, setTrouble] = useState<CameraTrouble>();
  const [ready, setReady] = useState(false);

  useEffect(() => {
    heard.current = onCode;
  }, [onCode]);
  useEffect(() => {
    let current = true;
    let stream: MediaStream | undefined;
    let last: string | undefined;

    const run = async (): Promise<void> => {
      const [opened, read] = await Promise.all([openCamera(), createCodeReader()]);
      stream = opened;
      const picture = video.current;
      if (!current || !picture) return closeCamera(opened);
      picture.srcObject = opened;
      await picture.play();
      setReady(true);
      while (current) {
        const text = await read(picture);
        // One and the same code is told of once, however long it is held there.
        if (current && text !== undefined && text !== last) heard.current(text);
        last = text ?? last;
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    };
    run().catch((error: unknown) => {
      if (current) setTrouble(error instanceof CameraError ? error.code : 'failed');
    });
    return () => {
      current = false;
      if (stream) closeCamera(stream);
    };
  }, []);

  if (trouble !== undefined) {
    return (
      <p className="scanner-problem" role="alert">
        {t(TROUBLES[trouble])}
      </p>
    );
  }
  return (
    <div className="scanner">
      <div className="scanner-picture" data-ready={ready}>
        <video ref={video} aria-label={t('trust.camera')} muted playsInline />
      </div>
      <p role="status">{ready ? says : t('trust.cameraOpening')}</p>
      <p className="scanner-problem" role="alert">
        {problem}
      </p>
    </div>
  );
};
