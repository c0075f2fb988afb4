using System.Text;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>Whether what a lane says repeats the key that it was sent.</summary>
internal static class RepeatedKey
{
    /// <summary>
    /// A provider's keys are longer. What is shorter is a word that a gateway of the operator's own wants to see: no secret, and part of many a
    /// sentence that is not about it.
    /// </summary>
    private const int SecretFrom = 16;

    /// <param name="key">Null when what was sent is the caller's own.</param>
    public static bool IsIn(ReadOnlySpan<byte> body, Secret? key) => IsSecret(key) && body.IndexOf(Encoding.UTF8.GetBytes(key!.Reveal())) >= 0;

    /// <inheritdoc cref="IsIn(ReadOnlySpan{byte}, Secret?)"/>
    public static bool IsIn(string header, Secret? key) => IsSecret(key) && header.Contains(key!.Reveal(), StringComparison.Ordinal);

    private static bool IsSecret(Secret? key) => key is not null && key.Reveal().Length >= SecretFrom;
}
