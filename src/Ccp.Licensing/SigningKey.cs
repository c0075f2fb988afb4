using System.Security.Cryptography;

namespace Ccp.Licensing;

/// <summary>The private key that an issuer signs licenses with. Printing it shows its id only.</summary>
internal sealed class SigningKey
{
    // A private key says what it is, so that nobody takes its line for the public one.
    private const string Mark = "ccp-license-private-key ";

    private readonly byte[] _seed;

    private SigningKey(string id, byte[] seed)
    {
        Id = id;
        _seed = seed;
        PublicKey = Ed25519.PublicKeyOf(seed);
    }

    public string Id { get; }

    public byte[] PublicKey { get; }

    /// <summary>As a build is told it, in <c>CcpLicenseKeys</c>.</summary>
    public string PublicText => $"{Id}={Convert.ToBase64String(PublicKey)}";

    /// <param name="id">Null: one that is made from the key itself, so that no two keys share it.</param>
    public static SigningKey New(string? id = null)
    {
        var seed = RandomNumberGenerator.GetBytes(Ed25519.SeedBytes);
        return new SigningKey(id ?? "k" + Convert.ToHexStringLower(SHA256.HashData(Ed25519.PublicKeyOf(seed)).AsSpan(0, 4)), seed);
    }

    /// <returns>Null when the text is no private key as <see cref="PrivateText"/> writes it.</returns>
    public static SigningKey? Parse(string text)
    {
        var line = text.Trim();
        if (!line.StartsWith(Mark, StringComparison.Ordinal) || line[Mark.Length..].Split('=', 2) is not [var id, var base64] || !IsId(id))
        {
            return null;
        }

        var seed = new byte[Ed25519.SeedBytes];
        return Convert.TryFromBase64String(base64, seed, out var length) && length == seed.Length ? new SigningKey(id, seed) : null;
    }

    /// <summary>What stands in lists parted by commas and equals signs, in a log, and in a file's name.</summary>
    public static bool IsId(string id) => id.Length is > 0 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>The key itself, as its file holds it. Every caller is a place a reviewer looks at.</summary>
    public string PrivateText() => $"{Mark}{Id}={Convert.ToBase64String(_seed)}";

    public byte[] Sign(ReadOnlySpan<byte> message) => Ed25519.Sign(message, _seed);

    public override string ToString() => Id;
}
