/** Why there is no picture: no camera, the person or the browser said no, or something else has it. */
export type CameraTrouble = 'missing' | 'refused' | 'failed';

export class CameraError extends Error {
  override readonly name = 'CameraError';
  readonly code: CameraTrouble;

  constructor(code: CameraTrouble) {
    super(`camera: ${code}`);
    this.code = code;
  }
}

const TROUBLES: Record<string, CameraTrouble> = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
};

/** The camera that looks away from the person, where there are two. @throws CameraError */
export const openCamera = async (): Promise<MediaStream> => {
  // Absent without https, and in some browsers inside other apps.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new CameraError('missing');
  try {
    return await devices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } } });
  } catch (error) {
    throw new CameraError((error instanceof Error && TROUBLES[error.name]) || 'failed');
  }
};

export const closeCamera = (stream: MediaStream): void => {
  for (const track of stream.getTracks()) track.stop();
};
