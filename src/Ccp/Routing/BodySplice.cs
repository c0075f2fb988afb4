namespace Ccp.Routing;

/// <summary>An item of a list, or a member of an object: its first byte, and the first one after it.</summary>
internal readonly record struct JsonItem(int Start, int End, bool IsGone);

/// <summary>Pieces of a body that are cut out or replaced. Whatever lies between them stays as it is, byte for byte.</summary>
internal sealed class BodySplice
{
    private readonly List<Piece> _pieces = [];

    public bool IsEmpty => _pieces.Count == 0;

    /// <summary>How many pieces there are so far, for <see cref="TakeBack"/>.</summary>
    public int Count => _pieces.Count;

    /// <param name="start">Offset of the first byte that goes.</param>
    /// <param name="end">Offset of the first byte that stays.</param>
    public void Replace(int start, int end, byte[] with) => _pieces.Add(new Piece(start, end, with));

    public void Cut(int start, int end) => Replace(start, end, []);

    /// <summary>With each item goes one comma: the one before it where something before it stays, else the one after it.</summary>
    /// <param name="items">All of a list or an object, in their order.</param>
    public void CutOut(List<JsonItem> items)
    {
        var staysBefore = false;
        for (var index = 0; index < items.Count; index++)
        {
            var item = items[index];
            if (!item.IsGone)
            {
                staysBefore = true;
            }
            else if (staysBefore)
            {
                Cut(items[index - 1].End, item.End);
            }
            else
            {
                Cut(item.Start, index + 1 < items.Count ? items[index + 1].Start : item.End);
            }
        }
    }

    /// <summary>Forgets the pieces that were added after there were <paramref name="count"/>: something around them goes as a whole.</summary>
    public void TakeBack(int count) => _pieces.RemoveRange(count, _pieces.Count - count);

    /// <returns>The body with the pieces gone, in an array of its own.</returns>
    public byte[] Apply(ReadOnlySpan<byte> body)
    {
        var spliced = new byte[body.Length + _pieces.Sum(piece => piece.With.Length - (piece.End - piece.Start))];
        var rest = spliced.AsSpan();
        var from = 0;
        foreach (var piece in _pieces.OrderBy(piece => piece.Start))
        {
            body[from..piece.Start].CopyTo(rest);
            rest = rest[(piece.Start - from)..];
            piece.With.CopyTo(rest);
            rest = rest[piece.With.Length..];
            from = piece.End;
        }

        body[from..].CopyTo(rest);
        return spliced;
    }

    private readonly record struct Piece(int Start, int End, byte[] With);
}
