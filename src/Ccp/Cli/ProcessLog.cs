using Ccp.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Ccp.Cli;

/// <summary>The process log: to stderr, as text or JSON, in UTC.</summary>
internal static class ProcessLog
{
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static ServiceProvider Create(LogsConfig config)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            logging.SetMinimumLevel(config.Level);
            if (config.Format == LogFormat.Json)
            {
                logging.AddJsonConsole(options => (options.UseUtcTimestamp, options.TimestampFormat) = (true, TimestampFormat));
            }
            else
            {
                logging.AddSimpleConsole(options => (options.UseUtcTimestamp, options.TimestampFormat, options.SingleLine) = (true, TimestampFormat, true));
            }

            // A terminal that is stopped must not stop the proxy: lines are dropped then.
            logging.Services.Configure<ConsoleLoggerOptions>(options =>
                (options.LogToStandardErrorThreshold, options.QueueFullMode) = (LogLevel.Trace, ConsoleLoggerQueueFullMode.DropWrite));
        });
        return services.BuildServiceProvider();
    }
}
