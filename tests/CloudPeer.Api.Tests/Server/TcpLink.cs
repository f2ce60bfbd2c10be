using System.Net;
using System.Net.Sockets;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>A line to a server that can be cut as a cable is: both ends stay open, and nothing arrives any more.</summary>
internal sealed class TcpLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _target;
    private readonly Task _serving;
    private volatile bool _cut;

    /// <summary>A line for one connection.</summary>
    public TcpLink(string url)
    {
        _target = new Uri(url).Port;
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Where to connect.</summary>
    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture)}";

    /// <summary>Comes to its end when the server closes its end.</summary>
    public Task ClosedByServer => _closed.Task.WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>From here on nothing arrives at either end.</summary>
    public void Cut() => _cut = true;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
            var up = CopyAsync(client.GetStream(), server.GetStream());
            await CopyAsync(server.GetStream(), client.GetStream());
            _closed.TrySetResult();
            await _stopping.CancelAsync();
            await up;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        try
        {
            var buffer = new byte[16 << 10];
            while (await from.ReadAsync(buffer, _stopping.Token) is > 0 and var read)
                if (!_cut) await to.WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // An end is gone.
        }
    }
}
