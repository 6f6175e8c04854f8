import { defineConfig } from 'vite';

// The server answers with `script-src 'self'`: nothing inline, no polyfill injected, every hashed file below assets/.
export default defineConfig({
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    // The frame is one file: a dozen small ones would cost a dozen requests before anything shows.
    rollupOptions: { output: { manualChunks: (id) => (/node_modules\/preact\/|\/src\/(lib|ui)\/(?!chart)/.test(id) ? 'frame' : undefined) } },
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  server: { proxy: { '/api': 'http://127.0.0.1:7070' } },
});
