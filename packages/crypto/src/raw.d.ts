/** A file as text, for tests that read what is documented. */
declare module '*?raw' {
  const text: string;
  export default text;
}
