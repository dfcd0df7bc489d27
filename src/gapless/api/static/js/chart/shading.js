// Draws behind the candles: what is missing, and the hours before and after the regular session.

/** Bands of neighbouring points: `from` and `to` are places on the time scale, both inclusive. */
export class Shading {
  constructor(bands, colours) {
    this.bands = bands;
    this.colours = colours;
  }

  attached({ chart, requestUpdate }) {
    this.scale = chart.timeScale();
    this.redraw = requestUpdate;
  }

  paneViews() {
    this.views ??= [
      {
        zOrder: () => "bottom",
        renderer: () => ({ draw: (target) => target.useBitmapCoordinateSpace((scope) => this.paint(scope)) }),
      },
    ];
    return this.views;
  }

  paint({ context, bitmapSize, horizontalPixelRatio: ratio }) {
    const half = this.scale.options().barSpacing / 2;
    for (const { kind, from, to } of this.bands) {
      const left = Math.round((this.scale.logicalToCoordinate(from) - half) * ratio);
      const right = Math.round((this.scale.logicalToCoordinate(to) + half) * ratio);
      if (right < 0 || left > bitmapSize.width) continue;
      context.fillStyle = this.colours()[kind];
      context.fillRect(left, 0, Math.max(right - left, 1), bitmapSize.height);
      if (kind === "gap") hatch(context, left, right, bitmapSize.height, this.colours().hatch, ratio);
    }
  }
}

/** Slanted lines, so that a gap does not hang on its colour alone. */
function hatch(context, left, right, height, colour, ratio) {
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = ratio;
  context.beginPath();
  for (let at = left - height; at < right; at += 9 * ratio) {
    context.moveTo(at, height);
    context.lineTo(at + height, 0);
  }
  context.stroke();
  context.restore();
}
