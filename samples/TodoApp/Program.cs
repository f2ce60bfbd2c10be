// A to-do list that works offline and synchronises, sealed, through a cloudpeer. README.md says how to try it.
using System.Globalization;
using Tlfs.Client;
using Tlfs.Core;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using TodoApp;

const string usage = "todo list | add TITLE | done NUMBER | move FROM TO | remove NUMBER | connect URL | share ACCOUNT | join | sync | watch";

var package = TlfsPackage.Compile(ReadSchema(), "todoapp.tlfs");
try
{
    await using var tlfs = await LocalFirst.OpenAsync(Environment.GetEnvironmentVariable("TODO_HOME") ?? "todo-data", package);
    return await RunAsync(tlfs, args);
}
catch (TlfsException refused)
{
    // Every refusal has a stable reason and says what to do.
    await Console.Error.WriteLineAsync($"todo: {refused.Message} [{refused.Reason.ToKebab()}]");
    return 1;
}

static Task<int> RunAsync(LocalFirst tlfs, string[] words) => words switch
{
    [] or ["list"] => ListAsync(tlfs),
    ["add", var title] => EditAsync(tlfs, list => list.Tasks.Add(new() { Title = title })),
    ["done", var number] => EditAsync(tlfs, list => list.Tasks[Index(number)].Complete = true),
    ["move", var from, var to] => EditAsync(tlfs, list => list.Tasks.Move(Index(from), Index(to))),
    ["remove", var number] => EditAsync(tlfs, list => list.Tasks[Index(number)].Remove()),
    ["connect", var url] => ConnectAsync(tlfs, url),
    ["share", var account] => ShareAsync(tlfs, account),
    ["join"] => JoinAsync(tlfs),
    ["sync"] => SyncAsync(tlfs),
    ["watch"] => WatchAsync(tlfs),
    _ => UsageAsync(),
};

static async Task<int> UsageAsync()
{
    await Console.Error.WriteLineAsync(usage);
    return 2;
}

// The first list there is; a new one if there is none.
static async Task<TodoappDocument> OpenListAsync(LocalFirst tlfs) =>
    await tlfs.DocumentsAsync() is [var first, ..] ? new(first) : await TodoappDocument.CreateAsync(tlfs);

static async Task<int> ListAsync(LocalFirst tlfs)
{
    var list = await OpenListAsync(tlfs);
    var number = 0;
    foreach (var task in list.Read().Tasks) Console.WriteLine($"{++number,3} [{(task.Complete ? 'x' : ' ')}] {task.Title}");
    if (number == 0) Console.WriteLine("Nothing to do. Add something with: todo add TITLE");
    return 0;
}

// One transaction: durable when it returns, sent by the next sync.
static async Task<int> EditAsync(LocalFirst tlfs, Action<TodoappEdit> edit)
{
    var list = await OpenListAsync(tlfs);
    await list.EditAsync(edit);
    return await ListAsync(tlfs);
}

static async Task<int> ConnectAsync(LocalFirst tlfs, string url)
{
    await tlfs.AddCloudpeerAsync(url);
    Console.WriteLine(tlfs.Account);
    return 0;
}

static async Task<int> ShareAsync(LocalFirst tlfs, string account)
{
    var list = await OpenListAsync(tlfs);
    var friend = await tlfs.ResolveAsync(account);
    await list.Document.GrantAsync(friend, Permission.Write);
    await tlfs.InviteAsync(friend, list.Id, "a to-do list");
    return await SyncAsync(tlfs);
}

static async Task<int> JoinAsync(LocalFirst tlfs)
{
    foreach (var invitation in await tlfs.InvitationsAsync())
    {
        Console.WriteLine($"Joining {invitation.Schema} of {invitation.From.Account}");
        await tlfs.AcceptAsync(invitation.Id);
    }

    await SyncAsync(tlfs);
    return await ListAsync(tlfs);
}

static async Task<int> SyncAsync(LocalFirst tlfs)
{
    var results = await tlfs.SyncAsync();
    foreach (var result in results)
        Console.WriteLine($"{result.Url}: sent {result.Pushed}, received {result.Pulled}{(result.Complete ? "" : $", not done: {result.Error?.Message}")}");
    return results.All(result => result.Complete) ? 0 : 1;
}

// Stays connected and tells what happens to the tasks, here and elsewhere, until Ctrl-C.
static async Task<int> WatchAsync(LocalFirst tlfs)
{
    using var stopping = new CancellationTokenSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        pressed.Cancel = true;
        stopping.Cancel();
    };
    var list = await OpenListAsync(tlfs);
    await using var watch = list.WatchTasks(change => Console.WriteLine($"{change.Kind} task {change.Index + 1}{change.Below} {change.Item?.Title}".TrimEnd()));
    await tlfs.SyncAsync(new() { Watch = true }, cancellationToken: stopping.Token);
    return 0;
}

// People count from 1.
static int Index(string number) => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index > 0
    ? index - 1
    : throw new TlfsException(Reason.BadArgument, "tasks are numbered from 1, see: todo list");

static string ReadSchema()
{
    using var stream = typeof(Program).Assembly.GetManifestResourceStream("todoapp.tlfs") ?? throw new InvalidOperationException("the schema is embedded");
    using var reader = new StreamReader(stream);
    return reader.ReadToEnd();
}
