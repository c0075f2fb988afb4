namespace Ccp.Issuing;

/// <summary>A no of the issuer: what is wrong, and what to do.</summary>
internal sealed class IssuerRefusedException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
