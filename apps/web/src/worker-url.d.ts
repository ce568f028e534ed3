/** Made by Vite. */
declare module '*?worker&url' {
  const url: string;
  export default url;
}
