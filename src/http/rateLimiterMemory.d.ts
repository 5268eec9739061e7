// The package has types for its front door only.
declare module 'rate-limiter-flexible/lib/RateLimiterMemory.js' {
  // biome-ignore lint/style/noDefaultExport: so the package has it
  export { RateLimiterMemory as default } from 'rate-limiter-flexible'
}
