using System.Diagnostics;
using Tlfs.Client;
using Tlfs.Core.Schema;

namespace CloudPeer.Bench.Compare;

/// <summary>What an app gets: <see cref="LocalFirst"/> on SQLite, each transaction durable when it returns.</summary>
internal sealed class ClientCompare(int tasks, string folder)
{
    private const string Engine = "cloudpeer";

    private readonly string _home = Path.Combine(folder, Engine);

    /// <summary>Inserts and updates, and what they take on disk once the replica is closed.</summary>
    public async Task WriteAsync()
    {
        await using (var replica = await OpenAsync())
        {
            var document = await replica.CreateAsync("todoapp");
            var started = Stopwatch.GetTimestamp();
            await ApplyAsync(document, Workload.Inserts(tasks));
            Report("insert", Measurement.Since(started), document);
            started = Stopwatch.GetTimestamp();
            await ApplyAsync(document, Workload.Updates(tasks));
            Report("update", Measurement.Since(started), document);
        }

        new Measurement(Engine, "save", tasks) { Bytes = Size() }.Print();
    }

    /// <summary>From a closed folder to the JSON of one element, and on to the JSON of all.</summary>
    public async Task LoadAsync()
    {
        new Measurement(Engine, "start", tasks).Print();
        var bytes = Size();
        var started = Stopwatch.GetTimestamp();
        await using var replica = await OpenAsync();
        var document = (await replica.DocumentsAsync())[0];
        var one = document.ToJson($".tasks[{tasks >> 1}]");
        new Measurement(Engine, "load-one", tasks) { Milliseconds = Measurement.Since(started), Bytes = bytes, Hash = ContentHash.Of($"[{one}]") }.Print();
        var all = document.ToJson(".tasks");
        new Measurement(Engine, "load-all", tasks) { Milliseconds = Measurement.Since(started), Bytes = bytes, Hash = ContentHash.Of(all) }.Print();
    }

    private Task<LocalFirst> OpenAsync() => LocalFirst.OpenAsync(_home, TlfsPackage.Compile(Material.Source));

    private static async Task ApplyAsync(LocalDocument document, IEnumerable<IReadOnlyList<WorkEdit>> transactions)
    {
        foreach (var edits in transactions)
        {
            await document.EditAsync((Cursor cursor) =>
            {
                foreach (var edit in edits) Apply(cursor["tasks"], edit);
            });
        }
    }

    private static void Apply(Cursor list, WorkEdit edit)
    {
        if (edit.Complete is { } complete) list.Insert(edit.Index, new { title = edit.Title, complete });
        else list[edit.Index]["title"].Set(edit.Title);
    }

    private long Size() => new DirectoryInfo(_home).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private void Report(string work, double milliseconds, LocalDocument document) =>
        new Measurement(Engine, work, tasks) { Milliseconds = milliseconds, Hash = ContentHash.Of(document.ToJson(".tasks")) }.Print();
}
