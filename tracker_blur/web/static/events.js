// What the server reports without being asked: jobs that change, edits made in another window.

const RETRY_MS = 2000;

/**
 * Listen until the page is closed.
 *
 * @param {object} handlers by event: `job`, `gone`, `review`, `watches` get the event's data; `lost` is called when
 *   the connection breaks, `refused` when the server answers but does not let this page in any more, and `back` when
 *   events come again, because some may have been missed.
 */
export function listen(handlers) {
  let isLost = false;
  const connect = () => {
    const source = new EventSource("/api/events");
    for (const name of ["job", "gone", "review", "watches"]) {
      source.addEventListener(name, (event) => handlers[name]?.(JSON.parse(event.data)));
    }
    source.onerror = () => {
      if (!isLost) handlers.lost?.();
      isLost = true;
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      handlers.refused?.();
      setTimeout(connect, RETRY_MS);
    };
    source.onopen = () => {
      if (isLost) handlers.back?.();
      isLost = false;
    };
  };
  connect();
}
