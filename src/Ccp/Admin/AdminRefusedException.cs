using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>A no of the administration API: what is wrong, and what to do. Thrown inside a write it undoes that write.</summary>
internal sealed class AdminRefusedException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>Set when a payment was too small.</summary>
    public NanoUsd? MinimumPayment { get; init; }

    public static AdminRefusedException Malformed(string message) => new(400, message);

    public static AdminRefusedException NoSuchUser(string message) => new(404, message);

    public static AdminRefusedException Conflict(string message) => new(409, message);
}
