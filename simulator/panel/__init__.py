"""The panel: a small page to press what people and sensors do, on its own loopback port."""
