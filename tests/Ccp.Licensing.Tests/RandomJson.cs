using System.Globalization;

namespace Ccp.Licensing.Tests;

/// <summary>Random JSON values, and random ways to write each.</summary>
internal static class RandomJson
{
    private static readonly string[] Pieces = ["a", "b", "\"", "\\", "/", "\n", "\0", "\u001f", "ö", "€", "\ud83d\ude00", "\ufb33", " ", "1"];

    /// <returns>Null, a bool, a long, a string, a list, or a dictionary of such.</returns>
    public static object? Value(Random random, int depth) => random.Next(depth > 0 ? 7 : 5) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.NextInt64(-9_007_199_254_740_991, 9_007_199_254_740_991),
        3 => (long)random.Next(100),
        4 => Text(random),
        5 => Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth - 1)).ToList(),
        _ => Enumerable.Range(0, random.Next(5)).Select(_ => Text(random)).Distinct().ToDictionary(name => name, _ => Value(random, depth - 1)),
    };

    public static string Spell(object? value, Random random)
    {
        var text = value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            long number => random.Next(2) == 0 ? number.ToString(CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture) + ".0",
            string line => Quoted(line, random),
            List<object?> items => $"[{string.Join(',', items.Select(item => Spell(item, random)))}]",
            Dictionary<string, object?> members => $"{{{string.Join(',', members.OrderBy(_ => random.Next()).Select(member => $"{Quoted(member.Key, random)}:{Spell(member.Value, random)}"))}}}",
            _ => throw new ArgumentOutOfRangeException(nameof(value)),
        };
        return Blank(random) + text + Blank(random);
    }

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => Pieces[random.Next(Pieces.Length)]));

    private static string Quoted(string text, Random random) =>
        $"\"{string.Concat(text.Select(c => c is < ' ' or '"' or '\\' || (random.Next(3) == 0 && !char.IsSurrogate(c)) ? $"\\u{(int)c:x4}" : c.ToString()))}\"";

    private static string Blank(Random random) => random.Next(4) switch
    {
        0 => " ",
        1 => "\r\n\t",
        _ => "",
    };
}
