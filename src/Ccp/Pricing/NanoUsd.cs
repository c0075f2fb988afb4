using System.Globalization;

namespace Ccp.Pricing;

/// <summary>An amount of money in billionths of a US dollar.</summary>
/// <remarks>
/// Units: 1 USD is 1_000_000_000. Range: about 9.2 billion USD either way.
/// Errors: arithmetic is checked. An <see cref="OverflowException"/> is a bug or a hostile price, never a rounding.
/// There is no conversion from or to a binary floating-point number, on purpose.
/// </remarks>
internal readonly record struct NanoUsd(long Value) : IComparable<NanoUsd>
{
    public const long PerDollar = 1_000_000_000;

    /// <summary>The most digits after the point that a typed amount may have.</summary>
    public const int DecimalsMax = 9;

    public static readonly NanoUsd Zero;

    public static NanoUsd operator +(NanoUsd left, NanoUsd right) => new(checked(left.Value + right.Value));

    public static NanoUsd operator -(NanoUsd left, NanoUsd right) => new(checked(left.Value - right.Value));

    public static NanoUsd operator -(NanoUsd amount) => new(checked(-amount.Value));

    public static bool operator <(NanoUsd left, NanoUsd right) => left.Value < right.Value;

    public static bool operator >(NanoUsd left, NanoUsd right) => left.Value > right.Value;

    public static bool operator <=(NanoUsd left, NanoUsd right) => left.Value <= right.Value;

    public static bool operator >=(NanoUsd left, NanoUsd right) => left.Value >= right.Value;

    public static NanoUsd Max(NanoUsd left, NanoUsd right) => left > right ? left : right;

    public static NanoUsd Min(NanoUsd left, NanoUsd right) => left < right ? left : right;

    /// <summary>The next whole nano-dollar at or above <paramref name="usd"/>: the one rounding a charge ever gets.</summary>
    public static NanoUsd CeilingFromUsd(decimal usd) => new(checked((long)decimal.Ceiling(usd * PerDollar)));

    /// <summary>The same, from millionths of a dollar: no digits are spent on a division, so that a long product stays exact.</summary>
    public static NanoUsd CeilingFromMicroUsd(decimal microUsd) => new(checked((long)decimal.Ceiling(microUsd * 1_000)));

    /// <summary>Reads an amount as a person types it: digits, one optional point, at most nine decimals, an optional leading minus.</summary>
    /// <returns>False for anything else: an exponent, a separator, a plus, white space, a bare point, an amount out of range.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out NanoUsd amount)
    {
        amount = Zero;
        var negative = text.StartsWith("-", StringComparison.Ordinal);
        var digits = negative ? text[1..] : text;
        var point = digits.IndexOf('.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? [] : digits[(point + 1)..];
        if (whole.IsEmpty || (point >= 0 && fraction.IsEmpty) || fraction.Length > DecimalsMax)
        {
            return false;
        }

        long nanos = 0;
        foreach (var digit in whole)
        {
            if (!TryAppend(ref nanos, digit))
            {
                return false;
            }
        }

        for (var place = 0; place < DecimalsMax; place++)
        {
            if (!TryAppend(ref nanos, place < fraction.Length ? fraction[place] : '0'))
            {
                return false;
            }
        }

        amount = new NanoUsd(negative ? -nanos : nanos);
        return true;
    }

    /// <summary>The same amount in dollars, exactly, without trailing zeros.</summary>
    public decimal ToUsd() => new decimal(Value) / PerDollar;

    public int CompareTo(NanoUsd other) => Value.CompareTo(other.Value);

    /// <summary>Dollars with at least two and at most nine decimals, in the invariant culture: <c>-12.50</c>, <c>0.000034</c>.</summary>
    public override string ToString() => ToUsd().ToString("0.00#######", CultureInfo.InvariantCulture);

    private static bool TryAppend(ref long nanos, char digit)
    {
        if (!char.IsAsciiDigit(digit) || nanos > (long.MaxValue - (digit - '0')) / 10)
        {
            return false;
        }

        nanos = (nanos * 10) + (digit - '0');
        return true;
    }
}
