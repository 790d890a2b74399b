// A receiver on this computer that a spec tells what to answer.
import { createServer } from "node:http";

/** `answer(request, body)` gives `{ status, headers, body }`; the body is told as JSON. */
export function startReceiver(answer) {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const { status = 200, headers = {}, body = {} } = answer(request, text ? JSON.parse(text) : null);
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    });
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }),
    ),
  );
}

/** What a sender gets that hands in one event or many; anything but a 2xx is an error. */
export async function handIn(program, path, body) {
  const response = await fetch(`${program.ingress}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}
