namespace CloudPeer.Api.Hosting.Commands;

/// <summary>Serves until somebody asks the process to stop.</summary>
internal static class ServeCommand
{
    public static async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var settings = CommandSettings.Load();
        await using var host = await CloudPeerHost.StartAsync(settings, new(), cancellationToken);
        await output.WriteLineAsync(host.ReadyLine.AsMemory(), cancellationToken);
        await output.FlushAsync(cancellationToken);
        await host.WaitForShutdownAsync(cancellationToken);
        return 0;
    }
}
