"""Pretrained graph networks over atoms and bonds."""
