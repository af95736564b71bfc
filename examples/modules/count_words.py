"""A module of one's own: counts the words of a text and writes them to words.json.

Registered in reelkiln.toml, run by the daemon as `count_words.py MANIFEST OUTPUTS`.
"""

import json
import sys
from collections import Counter
from pathlib import Path

manifest, outputs = map(Path, sys.argv[1:])
told = json.loads(manifest.read_text(encoding="utf-8"))

# Each input is the path of a file, each parameter is the value itself.
text = Path(told["text"]).read_text(encoding="utf-8")
most = told.get("most", 10)

words = Counter(text.lower().split())
ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))
if not ranked:
    sys.exit("the text has no words")  # the last line said is the reason that people read

(outputs / "words.json").write_text(json.dumps(dict(ranked[:most]), indent=1) + "\n")
