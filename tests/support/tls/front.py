"""The program: `python -m tests.support.tls.front PORT BEHIND CERTIFICATE`."""

from __future__ import annotations

import asyncio
import ssl
import sys

HERE, SIZE = "127.0.0.1", 65_536


async def main(port: int, behind: int, certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        first = await near.read(SIZE)
        if first:
            _say("heard")
        far, to_far = await asyncio.open_connection(HERE, behind)
        to_far.write(first)
        await asyncio.gather(_pass_on(near, to_far), _pass_on(far, to_near))

    server = await asyncio.start_server(serve, HERE, port, ssl=context)
    _say("listening")
    await server.serve_forever()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while part := await source.read(SIZE):
        target.write(part)
        await target.drain()
    target.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
