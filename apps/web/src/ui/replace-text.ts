export interface TextChange {
  /** `start` to `end` of the text become `put`, in which `from` to `to` are selected then. */
  start: number;
  end: number;
  put: string;
  from: number;
  to: number;
}

/** Changes what stands in a field as typing does, so that the browser's undo knows of it. */
export const replaceText = (field: HTMLTextAreaElement, { start, end, put, from, to }: TextChange): void => {
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  // There is no other way that undo knows of; where it is missing, the text matters more.
  const done = document.execCommand(put === '' ? 'delete' : 'insertText', false, put);
  if (!done) {
    field.setRangeText(put, start, end);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  field.setSelectionRange(from, to);
};

/** Puts text where the caret is, in the place of what is selected. */
export const insertText = (field: HTMLTextAreaElement, put: string): void => {
  const { selectionStart: start, selectionEnd: end } = field;
  const after = start + put.length;
  replaceText(field, { start, end, put, from: after, to: after });
};
