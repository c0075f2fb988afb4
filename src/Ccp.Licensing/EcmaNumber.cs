using System.Globalization;

namespace Ccp.Licensing;

/// <summary>A number as ECMAScript turns it into text, which is how RFC 8785 writes it.</summary>
/// <remarks>Source: ECMA-262, Number::toString. The shortest digits that read back as the same number are .NET's too; where the point goes is not.</remarks>
internal static class EcmaNumber
{
    // Where plain digits end and exponents begin: from 1e21 on, and below 1e-6.
    private const int PlainDigitsMax = 21;
    private const int LeadingZerosMax = 6;

    /// <exception cref="ArgumentOutOfRangeException">JSON has no word for this number.</exception>
    public static string Text(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(nameof(value));
        }

        if (value == 0)
        {
            return "0";
        }

        var (digits, point) = Shortest(Math.Abs(value));
        var text = point switch
        {
            > 0 and <= PlainDigitsMax when digits.Length <= point => digits.PadRight(point, '0'),
            > 0 and <= PlainDigitsMax => $"{digits[..point]}.{digits[point..]}",
            <= 0 and > -LeadingZerosMax => $"0.{new string('0', -point)}{digits}",
            _ => WithExponent(digits, point - 1),
        };
        return value < 0 ? "-" + text : text;
    }

    private static string WithExponent(string digits, int exponent)
    {
        var rest = digits.Length > 1 ? $".{digits[1..]}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{rest}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent)}");
    }

    /// <returns>The digits without zeros at either end, and how many of them stand before the point.</returns>
    private static (string Digits, int Point) Shortest(double value)
    {
        var parts = value.ToString("R", CultureInfo.InvariantCulture).Split('E');
        var exponent = parts.Length == 2 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        var halves = parts[0].Split('.');
        var all = string.Concat(halves);
        var digits = all.TrimStart('0');
        return (digits.TrimEnd('0'), halves[0].Length + exponent - (all.Length - digits.Length));
    }
}
