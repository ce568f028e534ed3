import { Link } from 'react-router';

const TEXT = {
  missing: 'This chat is not on this device.',
  back: 'To your chats',
};

export const Missing = () => (
  <div className="nothing-open">
    <p>{TEXT.missing}</p>
    <Link className="button button-plain" to="/" replace>
      {TEXT.back}
    </Link>
  </div>
);
