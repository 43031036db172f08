// Tells Monaco where its workers are; `WORKERS` is filled in when the bundle is built. Must be imported first.
globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    return new Worker(WORKERS[label] ?? WORKERS.editor, { name: label });
  },
};
