"""Pictures of graphs: what is drawn, and how it is written as Mermaid, SVG or text."""
