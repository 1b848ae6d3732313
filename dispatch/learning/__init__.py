"""What is learned from a city's own history (学习): trained, measured, written down with what it was made of.

    history ── words, signs (intake) ── train ── model, a struct of numbers ── intake loads it

Training may use scikit-learn and minutes; what comes out is numbers that intake applies with plain arithmetic. Figures are taken from
messages that a model has not seen, with intervals. Intake never imports this room; this room judges by intake's own functions.
"""
