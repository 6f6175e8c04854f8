import marimo

app = marimo.App(app_title="Attention at a temperature")


@app.cell
def _():
    import marimo as mo
    import math

    return math, mo


@app.cell
def _(mo):
    mo.md(
        r"""
        # Attention at a temperature

        A head of attention weighs each word with $w_i = e^{s_i / T} / \sum_j e^{s_j / T}$. Cold heads look at one word, warm ones at all of them.
        Move the temperature.
        """
    )
    return


@app.cell
def _(mo):
    temperature = mo.ui.slider(0.1, 3.0, step=0.1, value=1.0, label="Temperature")
    temperature
    return (temperature,)


@app.cell
def _(math, mo, temperature):
    scores = {"the": 0.2, "paper": 2.1, "is": 0.4, "alive": 2.6, "today": 1.1}
    powers = {word: math.exp(score / temperature.value) for word, score in scores.items()}
    total = sum(powers.values())
    bars = "\n".join(
        f'<text x="0" y="{at * 34 + 20}" font-size="15">{word}</text>'
        f'<rect x="70" y="{at * 34 + 4}" height="22" width="{power / total * 480:.0f}" fill="#3b82f6" rx="3"/>'
        f'<text x="{power / total * 480 + 78:.0f}" y="{at * 34 + 20}" font-size="14">{power / total:.2f}</text>'
        for at, (word, power) in enumerate(powers.items())
    )
    mo.vstack(
        [
            mo.md(f"**Softmax at temperature {temperature.value:.1f}**"),
            mo.Html(f'<svg width="640" height="175" fill="currentColor" font-family="sans-serif">{bars}</svg>'),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
