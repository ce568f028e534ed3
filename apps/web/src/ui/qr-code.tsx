import encode from 'qr';
import { useMemo } from 'react';
import './qr-code.css';

/** Light cells around the code, without which cameras do not find it. */
const QUIET = 3;

/** Text as a picture for cameras: dark on light in both themes, as not every reader knows the other way round. */
export const QrCode = ({ text, label }: { text: string; label: string }) => {
  const { side, path } = useMemo(() => {
    const rows = encode(text, 'raw', { ecc: 'medium', border: QUIET });
    const cells = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x},${y}h1v1h-1z` : [])));
    return { side: rows.length, path: cells.join('') };
  }, [text]);
  return (
    <svg
      className="qr-code"
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000000" />
    </svg>
  );
};
