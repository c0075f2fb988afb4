using System.Text;
using Microsoft.Extensions.Logging;

namespace Ccp.WireTests.Hosting;

/// <summary>A process log kept as text.</summary>
internal sealed class LogText : ILogger
{
    private readonly StringBuilder _lines = new();

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)} {exception}".TrimEnd();
        lock (_lines)
        {
            _lines.AppendLine(line);
        }
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public override string ToString()
    {
        lock (_lines)
        {
            return _lines.ToString();
        }
    }
}
