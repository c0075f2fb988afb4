using System.Globalization;

namespace Ccp.Crash;

/// <summary>Options of the form <c>--name value</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];

    /// <exception cref="ArgumentException">An option is unknown, or has no value.</exception>
    public static Arguments Read(IReadOnlyList<string> arguments, params string[] known)
    {
        var read = new Arguments();
        for (var at = 0; at < arguments.Count; at += 2)
        {
            var name = arguments[at].StartsWith("--", StringComparison.Ordinal) ? arguments[at][2..] : "";
            if (!known.Contains(name) || at + 1 == arguments.Count)
            {
                throw new ArgumentException($"{arguments[at]} is not an option with a value; there are {string.Join(", ", known.Select(option => $"--{option}"))}.");
            }

            read._values[name] = arguments[at + 1];
        }

        return read;
    }

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public int? Number(string name) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
