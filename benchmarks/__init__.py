"""Speed, as ratios against FFmpeg itself in the same run."""
