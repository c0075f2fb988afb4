using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;

namespace Ccp.Cli;

/// <summary>What went wrong in the words of an operator, with what to do, where the runtime's own words say neither.</summary>
internal static class Faults
{
    public static string Describe(Exception error) => error switch
    {
        IOException { InnerException: AddressInUseException } => $"{error.Message.TrimEnd('.')}. End what listens there, or choose another address with --listen.",
        HttpRequestException { InnerException: AuthenticationException inner } => $"No secure connection came about: {inner.Message.TrimEnd('.')}. Look whether the address speaks https, and at its certificate.",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => $"No secure connection came about: {Innermost(error).TrimEnd('.')}. Look whether the address speaks https, and at its certificate.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => $"{error.Message.TrimEnd('.')}. Look at the address, and whether the server there runs.",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "This user may not listen there: ports below 1024 need a privilege. Choose another address with --listen.",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "This host has no such address to listen on. Choose another with --listen.",
        _ => error.Message,
    };

    private static string Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error.Message;
}
